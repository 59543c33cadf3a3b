package wire

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// The addresses of the vectors, from the blocks set aside for documentation.
var (
	source4      = netip.MustParseAddr("192.0.2.1")
	destination4 = netip.MustParseAddr("198.51.100.200")
	source6      = netip.MustParseAddr("2001:db8::1")
	destination6 = netip.MustParseAddr("2001:db8::c8")
)

// unhex reads a vector, whose white space only groups its fields.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// checkBytes compares two packets.
func checkBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if string(got) != string(want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// checkRefused expects an error that wraps ErrMalformed and says why.
func checkRefused(t *testing.T, err error, reason string) {
	t.Helper()
	switch {
	case !errors.Is(err, ErrMalformed):
		t.Errorf("got %v, want an error that wraps ErrMalformed", err)
	case !strings.Contains(err.Error(), reason):
		t.Errorf("the error %q does not say %q", err, reason)
	}
}

// checkNoAllocs expects f to leave the heap alone.
func checkNoAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
