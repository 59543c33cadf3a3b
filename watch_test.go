package icmplib

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/names"
)

// watchTest is a Watch on a simulated network, in a bubble of virtual time.
type watchTest struct {
	*testing.T
	p *Prober
	n *netsim.Network
	w *Watch
}

func newWatchTest(t *testing.T, network string, opts *WatchOptions) *watchTest {
	t.Helper()
	n := netsim.MustParse(network)
	p := simProberWith(t, n, netsim.ConnOptions{}, nil)
	w, err := p.NewWatch(opts)
	if err != nil {
		t.Fatal(err)
	}
	return &watchTest{T: t, p: p, n: n, w: w}
}

func (t *watchTest) set(targets ...WatchTarget) {
	t.Helper()
	if err := t.w.Set(targets); err != nil {
		t.Fatal(err)
	}
}

// after lets time pass and returns the events of it.
func (t *watchTest) after(d time.Duration) []WatchEvent {
	time.Sleep(d)
	synctest.Wait()
	return t.w.events.Take(nil)
}

func (t *watchTest) end() {
	t.w.Close()
	t.p.Close()
}

// changes says what happened beside results.
func changes(events []WatchEvent) (all []string) {
	for _, e := range events {
		if e.Kind != WatchResult {
			all = append(all, fmt.Sprintf("%v %v %v", e.Kind, e.ID, e.Address))
		}
	}
	return all
}

// resultsOf counts results by their target.
func resultsOf(events []WatchEvent) map[string]int {
	n := map[string]int{}
	for _, e := range events {
		if e.Kind == WatchResult {
			n[e.ID]++
		}
	}
	return n
}

const threeHosts = `
client 192.0.2.1 2001:db8::1
node a 10.0.1.1 2001:db8:1::1 delay=5ms
node b 10.0.2.1 2001:db8:2::1 delay=5ms
node c 10.0.3.1 2001:db8:3::1 delay=5ms lose@10-14
node d 10.0.4.1 delay=5ms
path 10.0.4.0/24 d
path 10.0.1.0/24 2001:db8:1::/64 a
path 10.0.2.0/24 2001:db8:2::/64 b
path 10.0.3.0/24 2001:db8:3::/64 c
`

func TestAWatchTellsOfEachProbeAndEachChange(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		defer t.end()
		t.set(WatchTarget{Host: "10.0.1.1", Value: 7}, WatchTarget{Host: "10.0.3.1", Probing: &WatchProbing{DownAfter: 4}}, WatchTarget{Host: "2001:db8:2::1", ID: "six"})
		events := t.after(30 * time.Second)
		n := resultsOf(events)
		if n["10.0.1.1"] < 29 || n["10.0.1.1"] > 30 || n["six"] < 29 || n["10.0.3.1"] < 28 {
			t.Errorf("results: %v", n)
		}
		got := changes(events)
		slices.Sort(got[:3])
		want := []string{
			"added 10.0.1.1 10.0.1.1", "added 10.0.3.1 10.0.3.1", "added six 2001:db8:2::1",
		}
		if !slices.Equal(got[:3], want) {
			t.Errorf("first %q, want %q", got[:3], want)
		}
		later := slices.Clone(got[3:])
		slices.Sort(later)
		if want := []string{"down 10.0.3.1 10.0.3.1", "up 10.0.1.1 10.0.1.1", "up 10.0.3.1 10.0.3.1", "up 10.0.3.1 10.0.3.1", "up six 2001:db8:2::1"}; !slices.Equal(later, want) {
			t.Errorf("then %q, want %q", later, want)
		}
		var seqs []int
		for _, e := range events {
			if e.ID == "10.0.1.1" && e.Value != 7 {
				t.Errorf("%+v lost its value", e)
			}
			if e.Kind == WatchResult && e.ID == "10.0.1.1" {
				seqs = append(seqs, e.Result.Seq)
				if e.Result.RTT != 10*time.Millisecond || e.Result.Status != StatusReply || e.Missed != 0 {
					t.Errorf("%+v", e.Result)
				}
			}
		}
		for i, seq := range seqs {
			if seq != i {
				t.Fatalf("the numbers of the results are %v", seqs)
			}
		}
	})
}

func TestProbesOfAWatchAreEvenlySpread(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		var network strings.Builder
		network.WriteString("client 192.0.2.1\n")
		var targets []WatchTarget
		for i := range 200 {
			addr := fmt.Sprintf("10.%d.0.1", i)
			fmt.Fprintf(&network, "node n%d %s\npath %s/32 n%d\n", i, addr, addr, i)
			targets = append(targets, WatchTarget{Host: addr})
		}
		t := newWatchTest(st, network.String(), &WatchOptions{Probing: WatchProbing{Interval: 10 * time.Second}})
		defer t.end()
		t.set(targets...)
		begun := time.Now()
		perSecond, last := make([]int, 10), map[string]time.Time{}
		for _, e := range t.after(39 * time.Second) {
			if e.Kind != WatchResult {
				continue
			}
			if at := e.Result.Sent.Sub(begun); at < 10*time.Second {
				perSecond[at/time.Second]++
			}
			if before, ok := last[e.ID]; ok && e.Result.Sent.Sub(before) != 10*time.Second {
				t.Fatalf("%s was probed again after %v", e.ID, e.Result.Sent.Sub(before))
			}
			last[e.ID] = e.Result.Sent
		}
		if low, high := slices.Min(perSecond), slices.Max(perSecond); low < 19 || high > 21 {
			t.Errorf("%v probes in each second", perSecond)
		}
	})
}

// What stays keeps its numbers and its phase, and is not added again.
func TestASetIsExchanged(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		defer t.end()
		a, b, c := WatchTarget{Host: "10.0.1.1"}, WatchTarget{Host: "10.0.2.1"}, WatchTarget{Host: "10.0.3.1"}
		t.set(a, b)
		before := t.after(5500 * time.Millisecond)
		a.Value = "another"
		b.Probing = &WatchProbing{Interval: 2 * time.Second}
		t.set(a, b, c)
		after := t.after(5 * time.Second)
		got := changes(after)
		slices.Sort(got)
		want := []string{"added 10.0.2.1 10.0.2.1", "added 10.0.3.1 10.0.3.1", "gone 10.0.2.1 10.0.2.1", "up 10.0.2.1 10.0.2.1", "up 10.0.3.1 10.0.3.1"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		lastOf := func(events []WatchEvent, id string) (last WatchEvent) {
			for _, e := range events {
				if e.Kind == WatchResult && e.ID == id {
					last = e
				}
			}
			return last
		}
		was, is := lastOf(before, "10.0.1.1"), lastOf(after, "10.0.1.1")
		if is.Result.Seq != was.Result.Seq+5 || is.Result.Sent.Sub(was.Result.Sent) != 5*time.Second || is.Value != "another" {
			t.Errorf("what stayed went from %+v to %+v", was, is)
		}
		if n := resultsOf(after)["10.0.2.1"]; n < 2 || n > 3 {
			t.Errorf("%d results in 5 s at one in two seconds", n)
		}
		t.set()
		if got := changes(t.after(time.Second)); len(got) != 3 {
			t.Errorf("%q", got)
		}
		if late := t.after(time.Minute); len(late) != 0 {
			t.Errorf("there is still %+v", late)
		}
	})
}

// watchNames are names and their addresses, or why there are none.
type watchNames struct {
	mu    sync.Mutex
	names map[string]any
	asked int
}

func (n *watchNames) set(name string, to any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = to
}

func (n *watchNames) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

func (n *watchNames) lookup(_ context.Context, name string, family Family) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	if err, ok := n.names[name].(error); ok {
		return nil, err
	}
	var all []netip.Addr
	for _, s := range n.names[name].([]string) {
		if addr := netip.MustParseAddr(s); names.Family(family).Includes(addr) {
			all = append(all, addr)
		}
	}
	return all, nil
}

func TestNamesAreLookedUpAgain(t *testing.T) {
	gone := fmt.Errorf("look-up: %w", &net.DNSError{Err: "no such host", IsNotFound: true})
	failed := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	for _, tt := range []struct {
		name string
		all  bool
		then any
		want []string // changes of the second minute
	}{
		{"it stays", true, []string{"10.0.2.1", "10.0.1.1"}, nil},
		{"one comes", true, []string{"10.0.1.1", "10.0.2.1", "10.0.4.1"}, []string{"added x 10.0.4.1", "up x 10.0.4.1"}},
		{"one goes", true, []string{"10.0.2.1"}, []string{"gone x 10.0.1.1"}},
		{"the first stays", false, []string{"10.0.2.1", "10.0.1.1"}, nil},
		{"the first goes", false, []string{"10.0.2.1"}, []string{"gone x 10.0.1.1", "added x 10.0.2.1", "up x 10.0.2.1"}},
		{"the family is kept", false, []string{"2001:db8:1::1", "10.0.1.1"}, nil},
		{"there is no such name any more", true, gone, []string{
			"lookup-failed x invalid IP", "gone x 10.0.1.1", "gone x 10.0.2.1", "lookup-failed x invalid IP", "lookup-failed x invalid IP", "lookup-failed x invalid IP"}},
		{"nobody answers", true, failed, []string{
			"lookup-failed x invalid IP", "lookup-failed x invalid IP", "lookup-failed x invalid IP", "lookup-failed x invalid IP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(st *testing.T) {
				names := &watchNames{names: map[string]any{"x": []string{"10.0.1.1", "10.0.2.1"}}}
				t := newWatchTest(st, threeHosts, &WatchOptions{Lookup: names.lookup, Probing: WatchProbing{AllAddresses: tt.all}})
				defer t.end()
				t.set(WatchTarget{Host: "x"})
				t.after(30 * time.Second)
				names.set("x", tt.then)
				var got []string
				for names.count() < 2 {
					got = append(got, changes(t.after(time.Second))...)
				}
				got = append(got, changes(t.after(35*time.Second))...)
				if !slices.Equal(got, tt.want) {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		})
	}
}

// Where nobody takes results, those that have no room are counted.
func TestAWatchThatNobodyListensTo(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, &WatchOptions{Buffer: 10})
		defer t.end()
		t.set(WatchTarget{Host: "10.0.1.1"})
		time.Sleep(100 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		results, missed, last := 0, 0, 0
		for e, err := range t.w.Events(ctx) {
			if err != nil {
				break
			}
			if missed += e.Missed; e.Kind == WatchResult {
				results++
				last = e.Result.Seq
			}
		}
		if results+missed != last+1 || missed < 80 || last < 105 {
			t.Errorf("%d results and %d missed, the last is number %d", results, missed, last)
		}
	})
}

func TestEventsGoOnWhereALoopWasLeft(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		t.set(WatchTarget{Host: "10.0.1.1"})
		seq := 0
		for range 5 {
			for e, err := range t.w.Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind != WatchResult {
					continue
				}
				if e.Result.Seq != seq {
					t.Fatalf("result %d follows %d", e.Result.Seq, seq-1)
				}
				if seq++; seq%3 == 0 {
					time.Sleep(3500 * time.Millisecond) // so that there are more
					break
				}
			}
		}
		t.w.Close()
		var err error
		for _, e := range t.w.Events(t.Context()) {
			err = e
		}
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed Watch ends with %v", err)
		}
		if err := t.w.Set(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("and takes a set: %v", err)
		}
		t.p.Close()
	})
}

func TestAContextEndsALoopAtOnce(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		defer t.end()
		t.set(WatchTarget{Host: "10.0.1.1"})
		time.Sleep(100 * time.Second)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		n, seq := 0, -1
		for e, err := range t.w.Events(ctx) {
			if err != nil {
				if !errors.Is(err, errFinished) || n != 50 {
					t.Errorf("%v after %d events", err, n)
				}
				break
			}
			if e.Kind == WatchResult {
				seq = e.Result.Seq
			}
			if n++; n == 50 {
				cancel(errFinished) // while others have been taken
			}
		}
		func() {
			defer func() { _ = recover() }()
			for range t.w.Events(t.Context()) {
				panic("in the body")
			}
		}()
		for e := range t.w.Events(t.Context()) {
			if e.Result.Seq != seq+2 {
				t.Errorf("result %d follows %d and one whose body panicked", e.Result.Seq, seq)
			}
			break
		}
	})
}

var errFinished = errors.New("finished")

func TestWhatWasMissedAtTheEndIsTold(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, &WatchOptions{Buffer: 10})
		t.set(WatchTarget{Host: "10.0.1.1"})
		time.Sleep(100 * time.Second)
		t.w.Close()
		for range 2 {
			results, missed := 0, 0
			for e, err := range t.w.Events(t.Context()) {
				missed += e.Missed
				if err == nil && e.Kind == WatchResult {
					results++
				}
			}
			if results += missed; results != 100 && results != 0 {
				t.Errorf("%d results, or missed", results)
			}
		}
		t.p.Close()
	})
}

func TestASetIsTakenInItsOrder(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		var want []string
		for range 10 {
			t := newWatchTest(st, threeHosts, nil)
			start := time.Now()
			var got []string
			for _, set := range [][]string{{"10.0.1.1", "10.0.2.1", "10.0.3.1"}, {"10.0.4.1"}, {"10.0.3.1", "10.0.2.1", "10.0.1.1"}} {
				var targets []WatchTarget
				for _, host := range set {
					targets = append(targets, WatchTarget{Host: host})
				}
				t.set(targets...)
				for _, e := range t.after(3 * time.Second) {
					got = append(got, fmt.Sprint(e.Time.Sub(start), e.Kind, e.Address))
				}
			}
			t.end()
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Fatalf("events of the same sets:\n%q\n%q", got, want)
			}
		}
	})
}

func TestWhatALookupReturns(t *testing.T) {
	none := "lookup-failed svc invalid IP"
	for name, tt := range map[string]struct {
		found  []string
		err    error
		family Family
		want   []string
	}{
		"nothing":            {nil, nil, AnyFamily, []string{none}},
		"the zero Addr":      {[]string{""}, nil, AnyFamily, []string{none}},
		"of another family":  {[]string{"2001:db8:1::1"}, nil, IPv4, []string{none}},
		"of one and another": {[]string{"", "10.0.1.1", "2001:db8:1::1"}, nil, AnyFamily, []string{"added svc 10.0.1.1"}},
		"mapped":             {[]string{"::ffff:10.0.1.1", "10.0.1.1"}, nil, AnyFamily, []string{"added svc 10.0.1.1"}},
		"an error":           {[]string{"10.0.1.1"}, errFinished, AnyFamily, []string{none}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(st *testing.T) {
				var found []netip.Addr
				for _, text := range tt.found {
					addr, _ := netip.ParseAddr(text)
					found = append(found, addr)
				}
				t := newWatchTest(st, threeHosts, &WatchOptions{
					Probing: WatchProbing{AllAddresses: true, Family: tt.family},
					Lookup:  func(context.Context, string, Family) ([]netip.Addr, error) { return found, tt.err },
				})
				defer t.end()
				t.set(WatchTarget{Host: "svc"})
				if got := changes(t.after(0)); !slices.Equal(got, tt.want) {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestALookupThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		asked := 0
		t := newWatchTest(st, threeHosts, &WatchOptions{Lookup: func(context.Context, string, Family) ([]netip.Addr, error) {
			if asked++; asked == 2 {
				runtime.Goexit()
			}
			return []netip.Addr{netip.MustParseAddr("10.0.1.1")}, nil
		}})
		defer t.end()
		t.set(WatchTarget{Host: "svc"})
		want := []string{"added svc 10.0.1.1", "up svc 10.0.1.1", "lookup-failed svc invalid IP"}
		if got := changes(t.after(5 * time.Minute)); !slices.Equal(got, want) || asked < 5 {
			t.Errorf("%q after %d look-ups, want %q", got, asked, want)
		}
	})
}

func TestAPayloadMayBeUsedAgain(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		defer t.end()
		probing := &WatchProbing{Packet: Packet{Payload: []byte("payload of a caller")}}
		t.set(WatchTarget{Host: "10.0.1.1", Probing: probing})
		t.after(2 * time.Second)
		clear(probing.Packet.Payload)
		for _, e := range t.after(5 * time.Second) {
			if e.Result.Status != StatusReply {
				t.Errorf("%v %v", e.Kind, e.Result)
			}
		}
		probing.Packet.Payload = []byte("payload of a caller")
		t.set(WatchTarget{Host: "10.0.1.1", Probing: probing})
		if got := changes(t.after(0)); got != nil {
			t.Errorf("%q by the same set", got)
		}
	})
}

func TestAWatchEndsWithItsProber(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		t.set(WatchTarget{Host: "10.0.1.1"})
		t.after(time.Second)
		t.p.Close()
		for _, err := range t.w.Events(t.Context()) {
			if err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
		t.w.Close()
	})
}

// A firewall that holds a bad session for an id lets the next one through.
func TestAStuckSessionGetsAnotherID(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		n := netsim.MustParse(threeHosts)
		p := simProberWith(st, n, netsim.ConnOptions{}, nil)
		listen, opened := p.listen, 0
		p.listen = func(key socketKey) (engine.Medium, error) {
			opened++
			if key.turn == 0 {
				deaf := netsim.MustParse("client 192.0.2.1\nnode a 10.0.1.1 deaf\npath 10.0.1.0/24 a")
				return engine.OverEcho(deaf.Listen(key.Version, netsim.ConnOptions{})), nil
			}
			return listen(key)
		}
		w, err := p.NewWatch(nil)
		if err != nil {
			st.Fatal(err)
		}
		t := &watchTest{T: st, p: p, n: n, w: w}
		defer t.end()
		t.set(WatchTarget{Host: "10.0.1.1"})
		got := changes(t.after(20 * time.Second))
		want := []string{"added 10.0.1.1 10.0.1.1", "down 10.0.1.1 10.0.1.1", "new-id 10.0.1.1 10.0.1.1", "up 10.0.1.1 10.0.1.1"}
		if !slices.Equal(got, want) || opened != 2 {
			t.Errorf("%q with %d sockets, want %q with 2", got, opened, want)
		}
	})
}

func TestASocketThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		t := newWatchTest(st, threeHosts, nil)
		defer t.end()
		listen, tried, denied := t.p.listen, 0, errors.New("no socket")
		t.p.listen = func(key socketKey) (engine.Medium, error) {
			if tried++; tried < 3 {
				return nil, denied
			}
			return listen(key)
		}
		t.set(WatchTarget{Host: "10.0.1.1"}, WatchTarget{Host: "10.0.2.1"})
		refused, answered := 0, 0
		for _, e := range t.after(40 * time.Second) {
			switch {
			case errors.Is(e.Result.Cause, denied) && e.Kind == WatchResult:
				refused++
			case e.Kind == WatchResult:
				answered++
			}
		}
		if tried != 3 || refused < 38 || refused > 42 || answered < 36 {
			t.Errorf("tried %d times, %d probes were refused and %d answered", tried, refused, answered)
		}
	})
}

// The kernel has no room for packets of one family for half a minute: each of them is not sent,
// the target is down and comes back, and those of the other family wait for it once.
func TestAWatchWhoseKernelHasNoRoom(t *testing.T) {
	synctest.Test(t, func(st *testing.T) {
		var conns []*netsim.Conn
		p := simProberWith(st, netsim.MustParse(threeHosts), netsim.ConnOptions{}, func(c *netsim.Conn) { conns = append(conns, c) })
		w, err := p.NewWatch(nil)
		if err != nil {
			st.Fatal(err)
		}
		t := &watchTest{T: st, p: p, w: w}
		defer t.end()
		t.set(WatchTarget{Host: "10.0.1.1", ID: "four"})
		if n := resultsOf(t.after(5 * time.Second)); n["four"] < 4 || len(conns) != 1 {
			t.Fatalf("%v by %d sockets", n, len(conns))
		}
		t.set(WatchTarget{Host: "10.0.1.1", ID: "four"}, WatchTarget{Host: "2001:db8:2::1", ID: "six"})
		t.after(5 * time.Second)
		conns[0].FailSend(1_000_000, syscall.ENOBUFS)
		began := time.Now()
		refused, other, longest := 0, 0, time.Duration(0)
		var previous time.Time
		full := t.after(30 * time.Second)
		for _, e := range full {
			switch {
			case e.Kind == WatchResult && e.ID == "six":
				if other++; !previous.IsZero() {
					longest = max(longest, e.Result.Sent.Sub(previous))
				}
				if previous = e.Result.Sent; e.Result.Status != StatusReply {
					t.Errorf("%v", e.Result)
				}
			case e.Kind == WatchResult && errors.Is(e.Result.Cause, syscall.ENOBUFS):
				refused++
			}
		}
		if refused < 28 || other < 28 || longest > 2100*time.Millisecond {
			t.Errorf("within %v: %d were refused; %d of the other family left, %v apart at the most", time.Since(began), refused, other, longest)
		}
		if got := changes(full); !slices.Equal(got, []string{"down four 10.0.1.1"}) {
			t.Errorf("%q", got)
		}
		conns[0].FailSend(0, nil)
		if got := changes(t.after(5 * time.Second)); !slices.Equal(got, []string{"up four 10.0.1.1"}) {
			t.Errorf("then %q", got)
		}
	})
}

func TestATargetThatCannotBeWatched(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	w, err := p.NewWatch(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, tt := range []struct {
		name   string
		target []WatchTarget
		field  string
	}{
		{"no name", []WatchTarget{{}}, "Host"},
		{"a name that is none", []WatchTarget{{Host: "a b"}}, "Host"},
		{"two of one name", []WatchTarget{{Host: "a"}, {Host: "a"}}, "ID"},
		{"an interval without a unit", []WatchTarget{{Host: "a", Probing: &WatchProbing{Interval: 5}}}, "Interval"},
		{"an address of the other family", []WatchTarget{{Host: "::1", Probing: &WatchProbing{Family: IPv4}}}, "Host"},
		{"a source of the other family", []WatchTarget{{Host: "::1", Probing: &WatchProbing{Packet: Packet{Source: netip.MustParseAddr("127.0.0.1")}}}}, "Source"},
		{"a TTL that there is not", []WatchTarget{{Host: "a", Probing: &WatchProbing{Packet: Packet{TTL: 256}}}}, "TTL"},
		{"a row of less than none", []WatchTarget{{Host: "a", Probing: &WatchProbing{DownAfter: -1}}}, "DownAfter"},
	} {
		if e, ok := errors.AsType[*ConfigError](w.Set(tt.target)); !ok || e.Field != tt.field {
			t.Errorf("%s: %v, want a ConfigError about %s", tt.name, w.Set(tt.target), tt.field)
		}
	}
	if _, err := p.NewWatch(&WatchOptions{Buffer: -1}); err == nil {
		t.Error("a negative buffer is accepted")
	}
	if _, err := new(Prober).NewWatch(nil); !errors.Is(err, errNotMade) {
		t.Errorf("the zero Prober: %v", err)
	}
}

func TestWatchEventsAreLogged(t *testing.T) {
	var b bytes.Buffer
	e := WatchEvent{Kind: WatchDown, Host: "x", ID: "y", Address: testTarget, Result: fate(3, StatusNoReply), Missed: 4}
	slog.New(slog.NewTextHandler(&b, nil)).Info("watch", "event", e)
	for _, want := range []string{"event.kind=down", "event.host=x", "event.id=y", "event.address=192.0.2.1", "no-reply", "event.missed=4"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
}
