package icmplib_test

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// A monitor runs for months, and the machine changes below it. Each case breaks
// something under a ping that goes on for ever, and mends it: the ping says what
// the system said, loses nothing else, and recovers by itself.
func TestAPingSurvivesWhatHappensToTheMachine(t *testing.T) {
	client, server := netip.MustParsePrefix("10.77.0.1/24"), netip.MustParsePrefix("10.77.0.2/24")
	for _, tt := range []struct {
		name        string
		breaks      func(peer *netlab.Namespace) error
		mends       func(peer *netlab.Namespace) error
		whileBroken func(r icmplib.Result) bool
	}{
		{
			"the interface goes down and up",
			func(*netlab.Namespace) error { return netlab.LinkDown("mon0") },
			func(*netlab.Namespace) error { return netlab.LinkUp("mon0") },
			func(r icmplib.Result) bool { return errors.Is(r.Cause, syscall.ENETUNREACH) },
		},
		{
			"the address is removed and given back",
			func(*netlab.Namespace) error { return netlab.RemoveAddress("mon0", client) },
			func(*netlab.Namespace) error { return netlab.AddAddress("mon0", client) },
			func(r icmplib.Result) bool { return errors.Is(r.Cause, syscall.ENETUNREACH) },
		},
		{
			"the other end goes away and comes back",
			func(peer *netlab.Namespace) error { return peer.Do(func() error { return netlab.LinkDown("mon1") }) },
			func(peer *netlab.Namespace) error { return peer.Do(func() error { return netlab.LinkUp("mon1") }) },
			func(r icmplib.Result) bool { return r.Cause != nil || r.Status == icmplib.StatusNoReply },
		},
	} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			t.Run(tt.name+", "+mode.String(), func(t *testing.T) {
				t.Parallel()
				netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
					peer := twoHosts(t, client, server)
					p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
					if err != nil {
						t.Fatal(err)
					}
					defer p.Close()
					breaks := func() error { return tt.breaks(peer) }
					mends := func() error { return tt.mends(peer) }
					breakAndMend(t, p, server.Addr(), breaks, mends, tt.whileBroken)
				})
			})
		}
	}
}

// twoHosts makes a link to another host, which is a namespace of its own.
func twoHosts(t *testing.T, client, server netip.Prefix) (other *netlab.Namespace) {
	t.Helper()
	other = netlab.NewNamespace(t)
	check(t, netlab.AddVeth("mon0", "mon1"))
	check(t, other.Take("mon1"))
	check(t, other.Do(func() error { return errors.Join(netlab.AddAddress("mon1", server), netlab.LinkUp("mon1")) }))
	check(t, netlab.AddAddress("mon0", client))
	check(t, netlab.LinkUp("mon0"))
	return other
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func breakAndMend(t *testing.T, p *icmplib.Prober, dst netip.Addr, breaks, mends func() error, broken func(icmplib.Result) bool) {
	t.Helper()
	const (
		well = iota
		ill
		better
	)
	state := well
	for r, err := range p.PingSeq(t.Context(), dst.String(), &icmplib.PingOptions{
		Count: 2000, Interval: 10 * time.Millisecond, Timeout: 300 * time.Millisecond,
	}) {
		check(t, err)
		switch {
		case state == well && r.Status == icmplib.StatusReply:
			check(t, breaks())
			state = ill
		case state == ill && broken(r):
			check(t, mends())
			state = better
		case state == better && r.Status == icmplib.StatusReply:
			return
		}
	}
	t.Fatalf("the ping ended in state %d", state)
}

// Every descriptor is taken: no socket can be opened, which is said, and later
// they can.
func TestAProberSurvivesTheDescriptorLimit(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		p, err := icmplib.NewProber(nil)
		check(t, err)
		defer p.Close()
		var files []*os.File
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				break
			}
			files = append(files, f)
			if len(files) > 1<<20 {
				t.Skip("the system limits no descriptors")
			}
		}
		if _, err := p.Ping(t.Context(), "127.0.0.1", &icmplib.PingOptions{Count: 1}); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("without descriptors: %v", err)
		}
		for _, f := range files {
			f.Close()
		}
		host, err := p.Ping(t.Context(), "127.0.0.1", &icmplib.PingOptions{Count: 1})
		if err != nil || !host.IsAlive() {
			t.Errorf("with descriptors again: %v, %v", host, err)
		}
	})
}
