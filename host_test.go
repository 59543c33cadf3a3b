package icmplib

import (
	"net/netip"
	"strings"
	"testing"
	"unsafe"
)

func TestHostString(t *testing.T) {
	tests := []struct {
		name string
		host *Host
		want []string
	}{
		{"a host that answers",
			&Host{Address: testTarget, Name: "example.org", Stats: *statsOf(
				reply(0, 10*ms), reply(1, 12*ms), fate(2, StatusNoReply), reply(3, 11*ms))},
			[]string{
				"example.org (192.0.2.1)",
				"  packets   4 sent, 3 received, 25.00 % lost",
				"  unheard   1 silent",
				"  rtt       10.000 ms min, 11.000 ms avg, 12.000 ms max, 1.000 ms deviation",
				"  jitter    1.500 ms",
			}},
		{"a host given by its address, that does not",
			&Host{Address: testTarget, Name: "192.0.2.1", Stats: *statsOf(
				suspect(fate(0, StatusNoReply)), routerError(1, StatusUnreachable, ms), fate(2, StatusNoReply),
				fate(3, StatusNoReply), late(reply(2, ms)), fate(4, StatusUnsettled))},
			[]string{
				"192.0.2.1",
				"  packets   5 sent, 0 received, 100.00 % lost",
				"  unheard   2 silent, 1 of them suspect, 1 late, 1 met an ICMP error, 1 unsettled",
			}},
		{"a host that answers too much",
			&Host{Address: testTarget, Stats: *statsOf(
				reply(0, ms), duplicate(reply(0, ms)), altered(reply(1, ms)), unsent(fate(1, StatusSendError)))},
			[]string{
				"192.0.2.1",
				"  packets   1 sent, 1 received, 50.00 % lost",
				"  besides   1 duplicate, 1 altered, 1 not sent",
				"  rtt       1.000 ms min, 1.000 ms avg, 1.000 ms max, 0.000 ms deviation",
			}},
		{"a name that is none",
			&Host{Name: "nowhere.invalid", Err: ErrNameLookup},
			[]string{"nowhere.invalid", "  error     " + ErrNameLookup.Error()}},
		{"nothing", &Host{}, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := tt.host.String(), strings.Join(tt.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestHostIsSmall(t *testing.T) {
	// A size class of the allocator: a million hosts are 256 MB.
	const most = 256
	if n := unsafe.Sizeof(Host{}); n > most {
		t.Errorf("a Host takes %d bytes, of which its Stats %d; want at most %d",
			n, unsafe.Sizeof(Stats{}), most)
	}
	if testing.AllocsPerRun(10, func() {
		h := &Host{Address: netip.Addr{}}
		h.KeepRTTs(4)
		for i := range 4 {
			h.Add(reply(i, ms))
		}
		hostSink = h
	}) > 1 {
		t.Error("a short ping allocates more than its Host")
	}
}

var hostSink *Host
