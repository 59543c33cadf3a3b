package sys

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// control makes a control message as the kernel lays it out.
func control(level, typ int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	h := unix.Cmsghdr{Level: level, Type: typ}
	h.SetLen(unix.CmsgLen(len(data)))
	if _, err := binary.Encode(b, binary.NativeEndian, &h); err != nil {
		panic(err)
	}
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func TestTheTimestampAmongControlMessages(t *testing.T) {
	var tv unix.Timeval
	tv.Sec, tv.Usec = 1_700_000_000, 123_456
	data := make([]byte, binary.Size(&tv))
	if _, err := binary.Encode(data, binary.NativeEndian, &tv); err != nil {
		t.Fatal(err)
	}
	ttl := control(unix.IPPROTO_IP, unix.IP_TTL, []byte{64, 0, 0, 0})
	stamp := control(unix.SOL_SOCKET, unix.SCM_TIMESTAMP, data)
	for _, tt := range []struct {
		name    string
		control []byte
		want    int64
	}{
		{"none at all", nil, 0},
		{"alone", stamp, 1_700_000_000_123_456_000},
		{"behind another", append(ttl, stamp...), 1_700_000_000_123_456_000},
		{"another alone", ttl, 0},
		{"cut off", control(unix.SOL_SOCKET, unix.SCM_TIMESTAMP, data[:8]), 0},
		{"no control message", stamp[:7], 0},
	} {
		if got := Timestamp(tt.control); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Each datagram of a call is stamped by its place in it. What an interruption adds is
// put behind all of them: a round trip is made too long rather than too short.
func TestAnInterruptedCallIsStampedByThePaceOfOthers(t *testing.T) {
	const us = time.Microsecond
	s := NewSender(4)
	before := time.Now()
	sent := func(took time.Duration) (at [4]time.Duration) {
		s.stamp(0, 4, before, took)
		for i := range at {
			at[i] = s.Sent(i).Sub(before)
		}
		return at
	}
	if at := sent(4 * us); at != [4]time.Duration{us / 4, us + us/4, 2*us + us/4, 3*us + us/4} {
		t.Errorf("of a call of 4 us its datagrams left at %v", at)
	}
	for range 100 { // the machine is slow, and this is learned
		sent(16 * us)
	}
	if at := sent(16 * us); at != [4]time.Duration{us, 5 * us, 9 * us, 13 * us} {
		t.Errorf("of a call of 16 us, like those before, they left at %v", at)
	}
	if at := sent(4000 * us); at[0] > 2*us || at[3] > 24*us {
		t.Errorf("of a call that was interrupted they left at %v", at)
	}
	s.stamp(2, 1, before, 0)
	if !s.Sent(2).Equal(before) {
		t.Error("one alone did not leave at the beginning")
	}
}
