package sys

import (
	"encoding/binary"
	"testing"

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
