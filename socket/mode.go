package socket

import "fmt"

// Mode says which kind of socket carries the messages.
type Mode uint8

const (
	// Auto takes a datagram socket where the system allows it, else a raw one.
	Auto Mode = iota
	// Datagram is an unprivileged ICMP socket (SOCK_DGRAM).
	Datagram
	// Raw is a raw socket (SOCK_RAW): root, CAP_NET_RAW or an administrator.
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

// ParseMode reads what String writes.
func ParseMode(s string) (Mode, error) {
	for _, m := range []Mode{Auto, Datagram, Raw} {
		if m.String() == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf("unknown socket mode %q: auto, datagram or raw is allowed", s)
}
