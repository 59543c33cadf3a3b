package pmtu

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/plantest"
)

var (
	errTooBig = errors.New("too big")
	errGone   = errors.New("there is no such link any more")
)

// router is a place on a path, the last of which is the target.
type router struct {
	mtu      int  // of the link behind it, or in front of the target; 0: any
	tells    int  // that MTU; 0: the true one, -1: none, -2: it says nothing
	silent   bool // it sends no answers but what tells says
	every    int  // it answers but every so-many-th packet; 0: each
	replies  int  // of the target: replies over that size vanish
	closed   bool // of the target: to datagrams it says nothing
	forbids  int  // larger packets are prohibited, without an MTU; 0: none
	answered int
}

// world is a path, and a search on it in virtual time.
type world struct {
	path  []router
	local int  // what this system sends; 0: all
	own   int  // over which this host itself says, by ICMP, that a packet is too big; 0: none
	gone  int  // from this packet on the link is gone, by number from 1; 0: it stays
	back  int  // from this one on it is there again; 0: never
	walls bool // this host itself says, by ICMP, that it sends nothing there
	lost  map[int]bool
	cfg   Config
	start time.Time
	now   time.Time
	plan  *Plan
	sent  []plan.Probe
	given int // packets that the system was given
}

func newWorld(path ...router) *world {
	w := &world{path: path, start: time.Unix(1_000_000, 0)}
	w.now = w.start
	w.cfg = Config{
		Least: 68, Largest: 9000, MaxHops: 8, Count: 3, Interval: 100 * time.Millisecond, Timeout: 2 * time.Second,
		TooBig: func(err error) bool { return err == errTooBig }, Guess: func() int { return 0 },
	}
	return w
}

func hopAddress(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}) }

// answer returns what becomes of a packet.
func (w *world) answer(p plan.Probe) plan.Observation {
	o := plan.Observation{Key: p.Key, Settles: true, Sent: w.now, Kind: plan.Silent}
	if w.walls || w.own > 0 && p.Size > w.own {
		o.Kind, o.Local, o.Responder = plan.Unreachable, true, netip.AddrFrom4([4]byte{10, 0, 0, 255})
		if !w.walls {
			o.Kind, o.MTU = plan.TooBig, w.own
		}
		return o
	}
	for i := range w.path {
		r := &w.path[i]
		o.RTT += 10 * time.Millisecond
		speaks := func() bool {
			r.answered++
			return !r.silent && (r.every == 0 || r.answered%r.every == 0)
		}
		switch target := i == len(w.path)-1; {
		case target && (r.closed && p.Flow == 1 || r.replies > 0 && p.Flow == 0 && p.Size > r.replies):
			return o
		case target && speaks():
			o.Kind, o.FromTarget, o.Responder = plan.Reply, true, hopAddress(i)
			return o
		case target:
			return o
		case p.TTL == i+1:
			if speaks() {
				o.Kind, o.Responder = plan.TimeExceeded, hopAddress(i)
			}
			return o
		case r.forbids > 0 && p.Size > r.forbids:
			o.Kind, o.Responder = plan.Unreachable, hopAddress(i)
			return o
		case r.mtu > 0 && p.Size > r.mtu:
			if r.tells == -2 {
				return o
			}
			o.Kind, o.Responder, o.MTU = plan.TooBig, hopAddress(i), r.mtu
			if r.tells != 0 {
				o.MTU = max(r.tells, 0)
			}
			return o
		}
	}
	return o
}

// run searches, and returns what was found in words.
func (w *world) run(t *testing.T) string {
	t.Helper()
	w.plan = New(w.cfg)
	flight := plantest.Flight{Timeout: w.cfg.Timeout}
	for !w.plan.Done() {
		if len(w.sent) > 5000 || w.now.Sub(w.start) > time.Hour {
			t.Fatalf("not done after %d packets and %v", len(w.sent), w.now.Sub(w.start))
		}
		p, ok, wake := w.plan.Next(w.now)
		if ok {
			w.given++
			if w.gone > 0 && w.given >= w.gone && (w.back == 0 || w.given < w.back) {
				w.plan.Refused(p.Key, errGone, w.now)
				continue
			}
			if w.local > 0 && p.Size > w.local {
				w.plan.Refused(p.Key, errTooBig, w.now)
				continue
			}
			w.sent = append(w.sent, p)
			w.plan.Sent(p.Key, w.now)
			o := w.answer(p)
			if w.lost[len(w.sent)-1] {
				o = plan.Observation{Key: p.Key, Settles: true, Sent: w.now}
			}
			flight.Add(o)
			continue
		}
		now, o, ok := flight.Next(wake)
		if !ok {
			t.Fatal("nothing is in flight or to be sent, but the search is not done")
		}
		if w.now = now; o != nil {
			w.plan.Observe(w.now, o)
		}
	}
	return w.plan.words()
}

// words says what was found: the MTU, its marks (reached, confirmed, exact), that of
// each hop (reported by whom, or measured) and the holes.
func (p *Plan) words() string {
	var b strings.Builder
	fmt.Fprint(&b, p.MTU)
	for _, mark := range []struct {
		set  bool
		word string
	}{{p.Reached, "r"}, {p.Confirmed, "c"}, {p.Exact, "e"}} {
		if mark.set {
			b.WriteString(mark.word)
		}
	}
	b.WriteString(":")
	for _, h := range p.Hops {
		fmt.Fprintf(&b, " %d", h.MTU)
		switch h.Source {
		case Reported:
			fmt.Fprintf(&b, "r%d", h.ReportedBy.As4()[3])
		case Measured:
			b.WriteString("m")
		}
		if !h.Address.IsValid() {
			b.WriteString("*")
		}
	}
	for _, h := range p.Holes {
		fmt.Fprintf(&b, " hole %d-%d %d<%d", h.After, h.Before, h.Passes, h.Fails)
		if h.Replies {
			b.WriteString(" replies")
		}
		if h.Unsure {
			b.WriteString(" unsure")
		}
	}
	return b.String()
}

// any is a router that takes all.
var free = router{}
