package iphelper

import "fmt"

// Status is the outcome of a request: an IP_STATUS of ipexport.h. As an error it
// says what the status means.
type Status uint32

// The statuses with a meaning of their own.
const (
	Success  Status = 0
	TimedOut Status = 11010
)

// message is the type and code of an ICMP message.
type message struct{ typ, code uint8 }

// statuses holds what each status means: in words, and which ICMP message the
// system must have received, of each family. Those without messages are of this
// host's own making.
var statuses = map[Status]struct {
	words  string
	v4, v6 *message
}{
	11001:     {"the reply buffer is too small", nil, nil},
	11002:     {"destination network unreachable", &message{3, 0}, &message{1, 0}},
	11003:     {"destination host unreachable", &message{3, 1}, &message{1, 3}},
	11004:     {"destination protocol unreachable", &message{3, 2}, &message{1, 1}},
	11005:     {"destination port unreachable", &message{3, 3}, &message{1, 4}},
	11006:     {"no resources", nil, nil},
	11007:     {"bad IP option", nil, nil},
	11008:     {"hardware error", nil, nil},
	11009:     {"packet too big", &message{3, 4}, &message{2, 0}},
	TimedOut:  {"timed out", nil, nil},
	11013:     {"time exceeded in transit", &message{11, 0}, &message{3, 0}},
	11014:     {"time exceeded in reassembly", &message{11, 1}, &message{3, 1}},
	11015:     {"parameter problem", &message{12, 0}, &message{4, 0}},
	11018:     {"bad destination", nil, nil},
	11050:     {"general failure", nil, nil},
	Untouched: {"the system had no room for the request", nil, nil},
}

// Error says what the status means, with its number.
func (s Status) Error() string {
	words := "unknown IP status"
	if known, ok := statuses[s]; ok {
		words = known.words
	}
	if s == Untouched {
		return words
	}
	return fmt.Sprintf("%s (IP status %d)", words, uint32(s))
}

// ErrorMessage returns the type and code of the ICMP error that a status stands for, and
// false for a status that stands for none.
func (f Family) ErrorMessage(s Status) (typ, code uint8, ok bool) {
	m := statuses[s].v4
	if f == V6 {
		m = statuses[s].v6
	}
	if m == nil {
		return 0, 0, false
	}
	return m.typ, m.code, true
}
