package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/standin"
)

// An endless ping whose session is stuck goes on with another id: after ten silent
// requests, and after twice as many again. A ping with an end, and one that is told not
// to, do not.
func TestAnEndlessPingThatIsStuckTakesAnotherID(t *testing.T) {
	for _, tt := range []struct {
		name   string
		opts   PingOptions
		opens  uint8 // the turn that gets through
		newIDs []int // the requests whose silence was the last
	}{
		{"the next", PingOptions{Count: -1}, 1, []int{9}},
		{"the one after that", PingOptions{Count: -1}, 2, []int{9, 19}},
		{"earlier", PingOptions{Count: -1, NewIDAfter: 3}, 1, []int{2}},
		{"never", PingOptions{Count: -1, NewIDAfter: -1}, 1, nil},
		{"an end", PingOptions{Count: 50}, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProberWith(t, netsim.MustParse(threeHosts), netsim.ConnOptions{}, nil)
				defer p.Close()
				listen := p.listen
				p.listen = func(key socketKey) (engine.Medium, error) {
					if key.turn < tt.opens {
						deaf := netsim.MustParse("client 192.0.2.1\nnode a 10.0.1.1 deaf\npath 10.0.1.0/24 a")
						return engine.OverEcho(deaf.Listen(key.Version, netsim.ConnOptions{})), nil
					}
					return listen(key)
				}
				var stats Stats
				var newIDs []int
				first := -1 // that was answered
				for r, err := range p.PingSeq(t.Context(), "10.0.1.1", &tt.opts) {
					if err != nil {
						t.Fatal(err)
					}
					stats.Add(r)
					if r.NewID {
						newIDs = append(newIDs, r.Seq)
					}
					if first < 0 && r.Status == StatusReply {
						first = r.Seq
					}
					if r.Seq == 40 {
						break
					}
				}
				if !slices.Equal(newIDs, tt.newIDs) || stats.NewIDs != len(newIDs) || (first >= 0) != (newIDs != nil) {
					t.Errorf("another id after %v, want %v; %d counted, the first answer is to %d", newIDs, tt.newIDs, stats.NewIDs, first)
				}
			})
		})
	}
}

// renamed is a resolver for which a name has other addresses by and by.
type renamed struct {
	standin.Network
	at    time.Time
	names []any // of each 10 s: addresses, or why there are none
}

func (n *renamed) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	switch found := n.names[min(int(time.Since(n.at)/(10*time.Second)), len(n.names)-1)].(type) {
	case error:
		return nil, found
	case string:
		return []netip.Addr{netip.MustParseAddr(found)}, nil
	case []netip.Addr:
		return found, nil
	}
	return nil, errors.New("no such case")
}

// An endless ping follows its name: results have the address that the request was sent
// to, also those that come late, and numbers go on.
func TestAnEndlessPingFollowsItsName(t *testing.T) {
	both := []netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.2.1")}
	synctest.Test(t, func(t *testing.T) {
		p := simProberWith(t, netsim.MustParse(threeHosts), netsim.ConnOptions{}, nil)
		defer p.Close()
		p.other = &renamed{at: time.Now(), names: []any{
			"10.0.1.1", "10.0.2.1", both, &net.DNSError{Err: "no such host", IsNotFound: true}, "10.0.4.1", "10.0.4.1"}}
		var addrs []netip.Addr
		var from []int
		next := 0
		opts := &PingOptions{Count: -1, ResolveEvery: 10 * time.Second}
		for r, err := range p.PingSeq(t.Context(), "name.example", opts) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Seq != next || r.Status != StatusReply || r.Responder != r.Dst {
				t.Fatalf("result %d is %v", next, r)
			}
			if len(addrs) == 0 || addrs[len(addrs)-1] != r.Dst {
				addrs, from = append(addrs, r.Dst), append(from, r.Seq)
			}
			if next++; next == 60 {
				break
			}
		}
		if len(addrs) != 3 || addrs[0] != both[0] || addrs[1] != both[1] || addrs[2].String() != "10.0.4.1" ||
			from[1] < 10 || from[1] > 11 || from[2] < 40 || from[2] > 41 {
			t.Errorf("pinged %v, from %v on", addrs, from)
		}
	})
	for _, err := range new(Prober).PingSeq(t.Context(), "10.0.1.1", &PingOptions{ResolveEvery: -1}) {
		if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != "ResolveEvery" {
			t.Errorf("a negative ResolveEvery: %v", err)
		}
	}
}
