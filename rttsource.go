package icmplib

import (
	"fmt"
	"strconv"
)

// RTTSource says between which two moments an RTT was measured. The greater it
// is, the less of this system is in the RTT. See https://github.com/goicmp/icmplib/blob/main/docs/accuracy.md.
type RTTSource uint8

const (
	// RTTNone: there is no RTT.
	RTTNone RTTSource = iota

	// RTTRead: from the call that sent the probe to the call that read the
	// answer, both by the monotonic clock. It contains how long the answer
	// waited to be read. It is the rule on systems other than Linux.
	RTTRead

	// RTTCounter: from the call that sent the probe to the moment in which the
	// system reported its answer to the thread that sent it, both by the
	// performance counter. It is the rule on Windows in datagram mode, where the
	// clock is too coarse.
	RTTCounter

	// RTTClock: from the call that sent the probe, by the monotonic clock, to
	// the kernel's stamp of the arrival. It is the rule on Linux.
	RTTClock

	// RTTKernel: from the kernel's stamp of the departure to its stamp of the
	// arrival. It takes [Config.SendTimestamps].
	RTTKernel
)

var rttSourceWords = [...]string{RTTNone: "none", RTTRead: "read", RTTCounter: "counter", RTTClock: "clock", RTTKernel: "kernel"}

// String returns "none", "read", "counter", "clock" or "kernel", and "RTTSource(n)" for a
// value that has no word.
func (s RTTSource) String() string {
	if int(s) < len(rttSourceWords) {
		return rttSourceWords[s]
	}
	return "RTTSource(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText returns the word, for JSON and its like. A value that has none is an
// error.
func (s RTTSource) MarshalText() ([]byte, error) {
	if int(s) >= len(rttSourceWords) {
		return nil, fmt.Errorf("no word for %v", s)
	}
	return []byte(rttSourceWords[s]), nil
}

// UnmarshalText sets s to the source whose word is given. An unknown word is an
// error.
func (s *RTTSource) UnmarshalText(word []byte) error {
	for source, known := range rttSourceWords {
		if string(word) == known {
			*s = RTTSource(source)
			return nil
		}
	}
	return fmt.Errorf("unknown source of a round-trip time %q", word)
}
