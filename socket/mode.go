package socket

import "fmt"

// Mode is the kind of socket that carries the messages.
type Mode uint8

const (
	// Auto uses a datagram socket if the system allows one, and otherwise a raw socket.
	Auto Mode = iota
	// Datagram is an unprivileged ICMP socket (SOCK_DGRAM), and on Windows the IP
	// Helper API.
	Datagram
	// Raw is a raw socket (SOCK_RAW). It requires root, CAP_NET_RAW or, on Windows, an
	// administrator.
	Raw
)

// String returns "auto", "datagram" or "raw".
func (m Mode) String() string {
	switch m {
	case Auto:
		return "auto"
	case Datagram:
		return "datagram"
	case Raw:
		return "raw"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText returns the word that String returns, for JSON and similar formats. A value
// other than the three modes is an error.
func (m Mode) MarshalText() ([]byte, error) {
	if m > Raw {
		return nil, fmt.Errorf("%v is no socket mode: Auto, Datagram or Raw is allowed", m)
	}
	return []byte(m.String()), nil
}

// UnmarshalText sets m to the mode with the given word. An unknown word is an error, and
// leaves m unchanged.
func (m *Mode) UnmarshalText(word []byte) error {
	read, err := ParseMode(string(word))
	if err == nil {
		*m = read
	}
	return err
}

// ParseMode returns the mode with the given word: "auto", "datagram" or "raw". Any other
// word is an error.
func ParseMode(s string) (Mode, error) {
	for _, m := range []Mode{Auto, Datagram, Raw} {
		if m.String() == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf("unknown socket mode %q: auto, datagram or raw is allowed", s)
}
