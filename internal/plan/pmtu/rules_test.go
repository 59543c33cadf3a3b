package pmtu

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

func TestTheSizesOfPackets(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	if got := [...]int{Least(four), Least(six), Payload(1500, four), Payload(1500, six)}; got != [...]int{68, 1280, 1472, 1452} {
		t.Errorf("least sizes, and payloads of 1500 bytes: %v", got)
	}
}

func TestWhatIsFound(t *testing.T) {
	const small = 7 // the first packet that is not small, where all of two hops answer
	hole := func(mtu int) router { return router{mtu: mtu, tells: -2} }
	for _, tt := range []struct {
		rules  string
		name   string
		path   []router
		change func(w *world)
		want   string
	}{
		{"1 8", "all gets there", []router{free, free, free}, nil, "9000rc: 9000 9000 9000"},
		{"1", "a router is silent", []router{free, {silent: true}, free}, nil, "9000rc: 9000 9000* 9000"},
		{"1 6", "the target is silent", []router{free, free, {silent: true}}, nil, "9000c: 9000 9000"},
		{"6", "a router behind all who answer tells", []router{free, free, {silent: true, mtu: 1400}, {silent: true}}, nil, "1400ce: 9000 9000"},
		{"6 9", "a router tells in front of a silent target", []router{free, {mtu: 1400}, free, {silent: true}}, nil, "1400ce: 9000 1400r2 1400"},
		{"6 9", "a black hole in front of the last that answers", []router{free, hole(1400), free, {silent: true}}, nil, "1400ce: 9000 1400m 1400 hole 2-3 1400<1401"},
		{"9", "a firewall that refuses small packets as well", []router{free, {mtu: 1400}, {forbids: 1}, free}, nil, "1400ce: 9000 1400r2 1400 1400"},
		{"4 8", "only the smallest passes", []router{free, hole(68), free}, nil, "68rce: 9000 68m 68 hole 2-3 68<69"},
		{"4 8", "nothing but a refusal of all but the smallest", []router{{silent: true, mtu: 68}, {silent: true}}, nil, "68e: 68r1* 68* 68* 68* 68* 68* 68* 68*"},
		{"1 8", "nobody answers", []router{{silent: true}, {silent: true}}, nil, "9000: 9000* 9000* 9000* 9000* 9000* 9000* 9000* 9000*"},
		{"2 8", "this system's link", []router{free, free}, func(w *world) { w.local = 1500 }, "1500rce: 1500 1500"},
		{"2", "this host's own firewall rejects all", []router{free, free}, func(w *world) { w.walls = true }, "0: 0*"},
		{"2", "and its link is known", []router{free, free}, func(w *world) { w.walls, w.local = true, 1500 }, "1500: 1500*"},
		{"2", "this host says by ICMP what its tunnel takes", []router{free, free}, func(w *world) { w.own = 1420 }, "1420rce: 1420 1420"},
		{"2", "and a router takes less", []router{free, {mtu: 1400}, free}, func(w *world) { w.own = 1420 }, "1400rce: 1420 1400r2 1400"},
		{"2 8", "the link goes once small packets were answered", []router{free, free}, func(w *world) { w.gone = small }, "0r: 0 0"},
		{"2 8", "and what it takes was found", []router{free, free}, func(w *world) { w.local, w.gone = 1500, small+16 }, "1500r: 1500 1500"},
		{"2 8", "and it was told that it takes less", []router{free, free}, func(w *world) { w.local, w.gone = 1500, small+3 }, "0r: 0 0"},
		{"2", "the link is away for a moment", []router{free, free}, func(w *world) { w.local, w.gone, w.back = 1500, small, small+1 }, "1500rce: 1500 1500"},
		{"7 8 9 10", "routers tell", []router{{mtu: 4352}, {mtu: 1400}, free, free}, nil, "1400rce: 4352r1 1400r2 1400 1400"},
		{"7 9", "a router does not tell how much", []router{{mtu: 1401, tells: -1}, free, free}, nil, "1401rce: 1401m 1401 1401"},
		{"11", "a router tells too much", []router{{mtu: 1400, tells: 20000}, free, free}, nil, "1400rce: 1400m 1400 1400"},
		{"11", "a router tells too little", []router{{mtu: 1400, tells: 100}, free, free}, nil, "1400rce: 1400m 1400 1400"},
		{"11", "a router tells what is refused again", []router{{mtu: 1400, tells: 1450}, free, free}, nil, "1400rce: 1400m 1400 1400"},
		{"4 9", "a black hole", []router{free, hole(1400), free, free}, nil, "1400rce: 9000 1400m 1400 1400 hole 2-3 1400<1401"},
		{"4 9", "a black hole that no common size fits", []router{free, hole(1399), free, free}, nil, "1399rce: 9000 1399m 1399 1399 hole 2-3 1399<1400"},
		{"5 9", "two black holes", []router{hole(1500), free, hole(1400), free, free}, nil, "1400rce: 1500m 1500 1400m 1400 1400 hole 1-2 1500<1501 hole 3-4 1400<1401"},
		{"9", "a narrow link in front of a black hole", []router{{mtu: 2000}, free, hole(1400), free, free}, nil, "1400rce: 2000r1 2000 1400m 1400 1400 hole 3-4 1400<1401"},
		{"9", "a hole in front of silent routers", []router{free, hole(1400), {silent: true}, free}, nil, "1400rce: 9000 1400m 1400* 1400 hole 2-4 1400<1401"},
		{"9", "a slow router", []router{free, {every: 2}, {mtu: 1400, tells: -2}, free, free}, nil, "1400rce: 9000 9000 1400m 1400 1400 hole 3-4 1400<1401"},
		{"3", "a firewall prohibits what is large", []router{free, {forbids: 1200}, free}, nil, "1200rce: 9000 1200m 1200"},
		{"4", "a target that seldom answers", []router{free, free, {every: 3}}, nil, "9000rc: 9000 9000 9000"},
		{"12", "large replies vanish", []router{free, free, {replies: 1400}}, func(w *world) { w.cfg.Datagrams = func() bool { return true } }, "9000rc: 9000 9000 9000 hole 3-0 1400<1401 replies"},
		{"12", "large replies vanish, and smaller probes do, too", []router{free, {mtu: 2000}, {replies: 1400}}, func(w *world) { w.cfg.Datagrams = func() bool { return true } }, "2000rce: 9000 2000r2 2000 hole 3-0 1400<1401 replies"},
		{"12", "the target says nothing to datagrams", []router{free, free, {replies: 1400, closed: true}}, func(w *world) { w.cfg.Datagrams = func() bool { return true } }, "1400rc: 9000 1400m 1400 hole 2-3 1400<1401 unsure"},
		{"12", "there can be no datagrams", []router{free, free, {replies: 1400}}, func(w *world) { w.cfg.Datagrams = func() bool { return false } }, "1400rc: 9000 1400m 1400 hole 2-3 1400<1401 unsure"},
		{"12", "probes are datagrams", []router{free, free, {replies: 1400}}, nil, "1400rce: 9000 1400m 1400 hole 2-3 1400<1401"},
		{"12", "probes vanish in front of the target", []router{free, hole(1400), free}, func(w *world) { w.cfg.Datagrams = func() bool { return true } }, "1400rce: 9000 1400m 1400 hole 2-3 1400<1401"},
		{"12", "probes vanish in front of a router", []router{hole(1400), free, free}, func(w *world) { w.cfg.Datagrams = func() bool { panic("this needs no datagrams") } }, "1400rce: 1400m 1400 1400 hole 1-2 1400<1401"},
	} {
		w := newWorld(tt.path...)
		if tt.change != nil {
			tt.change(w)
		}
		if got := w.run(t); got != tt.want {
			t.Errorf("rules %s: %s: %s, want %s", tt.rules, tt.name, got, tt.want)
		}
	}
}

func TestRule2TheSystemIsAskedByHalves(t *testing.T) {
	for _, tt := range []struct{ local, guess, packets int }{
		{1500, 1500, 3}, {1500, 0, 15}, {1500, 1400, 15}, {68, 68, 15}, {8999, 9000, 15},
	} {
		w := newWorld(free, free)
		w.local, w.cfg.Guess = tt.local, func() int { return tt.guess }
		asked := 0
		too := w.cfg.TooBig
		w.cfg.TooBig = func(err error) bool { asked++; return too(err) }
		w.run(t)
		for _, p := range w.sent {
			if p.TTL == 1 && p.Size != w.cfg.Least {
				asked++
			}
		}
		if w.plan.LocalMTU != tt.local || asked > tt.packets+3 {
			t.Errorf("with a guess of %d for %d: %d by %d packets", tt.guess, tt.local, w.plan.LocalMTU, asked)
		}
	}
	w := newWorld(free)
	if w.run(t); w.plan.LocalMTU != 0 {
		t.Errorf("all is sent, but the link takes %d", w.plan.LocalMTU)
	}
}

// A refusal for another reason says nothing of a size, whether a larger one is too big or not.
func TestRule2OtherRefusals(t *testing.T) {
	p := New(newWorld(free).cfg)
	var found []fit
	for _, err := range []error{errTooBig, errGone} {
		p.isSent(100, func(f fit) { found = append(found, f) })
		probe, _, _ := p.Next(time.Time{})
		p.Refused(probe.Key, err, time.Time{})
	}
	p.isSent(100, func(f fit) { found = append(found, f) })
	probe, _, _ := p.Next(time.Time{})
	if p.Sent(probe.Key, time.Time{}); !slices.Equal(found, []fit{tooBig, notKnown, fits}) || probe.TTL != 1 || probe.Size != 100 {
		t.Errorf("refused as too big, otherwise, and sent: %v by %+v", found, probe)
	}
}

// Whenever the link goes, for good or for a while, no figure is given that nothing supports,
// and where there is none it is said why.
func TestRule8ALinkThatGoesSupportsNoFigure(t *testing.T) {
	for _, local := range []int{0, 1500} {
		for gone := 1; gone < 80; gone++ {
			for _, packets := range []int{0, 1, 20} {
				w := newWorld(free, router{mtu: 1400, tells: -2}, free)
				w.local, w.gone = local, gone
				if packets > 0 {
					w.back = gone + packets
				}
				found := w.run(t)
				largest := 0
				for _, p := range w.sent {
					largest = max(largest, p.Size)
				}
				p := w.plan
				switch {
				case p.MTU == 0:
					if p.Err() != errGone || p.Confirmed || p.Exact {
						t.Errorf("gone from %d on, for %d: %s, %v", gone, packets, found, p.Err())
					}
				case p.Reached && p.Confirmed && p.MTU > 1400, !p.Confirmed && p.MTU > largest && p.MTU != p.LocalMTU, p.LocalMTU != 0 && p.LocalMTU < local,
					p.Reached && p.Exact && p.MTU != 1400:
					t.Errorf("gone from %d on, for %d: %s; the first link takes %d", gone, packets, found, p.LocalMTU)
				}
			}
		}
	}
}

func TestRule3PacketsLeaveAnIntervalApart(t *testing.T) {
	p := New(newWorld(free).cfg)
	settled := 0
	p.fire(&volley{
		packets: []packet{{100, 3}, {200, 4}},
		take:    func(pk packet, o *plan.Observation) bool { return false },
		then:    func() { settled++ },
	})
	now := time.Unix(100, 0)
	a, ok, _ := p.Next(now)
	if !ok || a.Size != 100 || a.TTL != 3 {
		t.Fatalf("%+v, %v", a, ok)
	}
	p.Sent(a.Key, now.Add(time.Second))
	if _, ok, wake := p.Next(now.Add(1099 * time.Millisecond)); ok || !wake.Equal(now.Add(1100*time.Millisecond)) {
		t.Errorf("the second leaves early, or at %v", wake)
	}
	b, ok, _ := p.Next(now.Add(1100 * time.Millisecond))
	if !ok || b.Size != 200 || b.TTL != 4 {
		t.Errorf("%+v, %v", b, ok)
	}
	if _, ok, wake := p.Next(now.Add(time.Hour)); ok || !wake.IsZero() {
		t.Errorf("a third packet, or something to wait for: %v", wake)
	}
	if !p.Wants(a.Key) || p.Alone() {
		t.Error("the first packet is not wanted, or it has to be alone")
	}
	p.Recall(b.Key)
	advice := plan.Observation{Key: a.Key, Kind: plan.Advice}
	p.Observe(now, &advice)
	unclear := plan.Observation{Key: a.Key, Kind: plan.Unclear, Settles: true}
	p.Observe(now, &unclear)
	silent := plan.Observation{Key: a.Key, Settles: true}
	if p.Observe(now, &silent); settled != 0 {
		t.Error("it ends with the first fate")
	}
	if p.Refused(b.Key, errors.New("no path"), now); settled != 1 {
		t.Error("it does not end with the second fate")
	}
	if p.Observe(now, &silent); settled != 1 || p.Wants(a.Key) {
		t.Error("what comes behind the end counts")
	}
}

// What an answer to a large packet means, where small ones are answered by the
// target or end at a router.
func TestRule3WhatAnAnswerSaysOfASize(t *testing.T) {
	somebody := hopAddress(3)
	for _, tt := range []struct {
		name  string
		o     plan.Observation
		usual plan.Kind
		want  verdict
		clear bool
	}{
		{"silence", plan.Observation{Kind: plan.Silent}, plan.Reply, verdict{}, false},
		{"a reply", plan.Observation{Kind: plan.Reply, Responder: somebody}, plan.Reply, verdict{fate: passes}, true},
		{"a reply from farther", plan.Observation{Kind: plan.Reply, Responder: somebody}, plan.TimeExceeded, verdict{fate: passes}, true},
		{"the end of its TTL where that was to be", plan.Observation{Kind: plan.TimeExceeded, Responder: somebody}, plan.TimeExceeded, verdict{fate: passes}, true},
		{"the end of its TTL elsewhere", plan.Observation{Kind: plan.TimeExceeded, Responder: somebody}, plan.Reply, verdict{}, false},
		{"advice", plan.Observation{Kind: plan.Advice, Responder: somebody}, plan.Reply, verdict{}, false},
		{"how much fits", plan.Observation{Kind: plan.TooBig, Responder: somebody, MTU: 1400}, plan.Reply, verdict{refused, 1400, somebody}, true},
		{"a firewall that does not want it", plan.Observation{Kind: plan.Unreachable, Responder: somebody}, plan.Reply, verdict{refused, 0, somebody}, true},
		{"a firewall that wants none", plan.Observation{Kind: plan.Unreachable, Responder: somebody}, plan.Unreachable, verdict{fate: passes}, true},
		{"the target has no such port", plan.Observation{Kind: plan.Unreachable, FromTarget: true, Responder: somebody}, plan.Reply, verdict{fate: passes}, true},
		{"this system does not send it", plan.Observation{Kind: plan.TooBig}, plan.Reply, verdict{fate: local}, true},
		{"this system is out of order", plan.Observation{Kind: plan.Silent, Err: errTooBig}, plan.Reply, verdict{}, false},
	} {
		var v verdict
		if clear := v.take(&tt.o, tt.usual); clear != tt.clear || v != tt.want {
			t.Errorf("%s: %+v, clear: %v; want %+v", tt.name, v, clear, tt.want)
		}
	}
	v := verdict{refused, 1400, somebody}
	if v.take(&plan.Observation{Kind: plan.Reply, Responder: somebody}, plan.Reply); v.fate != refused {
		t.Error("a reply takes back a refusal")
	}
}

// If seven small and seven large packets have the same chance, all of so many answers
// are to small ones once in binomial(14, k) / binomial(7, k) times.
func TestRule4HowLikelyOnlySmallOnesAreAnswered(t *testing.T) {
	for answered, want := range []float64{1, 2, 91.0 / 21, 364.0 / 35, 1001.0 / 35, 2002.0 / 21, 429, 3432} {
		if got := 1 / onlySmall(answered, 7); got < want*0.999 || got > want*1.001 {
			t.Errorf("%d answers: once in %.1f times, want %.1f", answered, got, want)
		}
	}
}

// beside answers a trial of one size beside small ones: of each volley so many small ones
// are answered, and none of the size unless in the last.
func beside(t *testing.T, small []int, large bool) (v verdict, volleys int, settled bool) {
	t.Helper()
	p := New(newWorld(free).cfg)
	p.Reached = true
	p.tryBesideSmall(1500, 8, func(got verdict) { v, settled = got, true })
	for !settled && volleys < 20 {
		answered := 0
		sizes := map[int]int{}
		current := p.volley
		for range 2 * perVolley {
			probe, ok, _ := p.Next(time.Unix(1<<33, 0))
			if !ok {
				t.Fatal("a volley is too small")
			}
			p.volley.due = time.Time{}
			sizes[probe.Size]++
			o := plan.Observation{Key: probe.Key, Settles: true}
			switch {
			case probe.Size == 68 && volleys < len(small) && answered < small[volleys]:
				answered++
				o.Kind, o.Responder = plan.Reply, hopAddress(1)
			case probe.Size == 1500 && large && volleys == len(small)-1 && sizes[1500] == perVolley:
				o.Kind, o.Responder = plan.Reply, hopAddress(1)
			}
			if p.Observe(time.Time{}, &o); p.volley != current {
				break
			}
		}
		volleys++
	}
	return v, volleys, settled
}

func TestRule4ChanceIsRuledOut(t *testing.T) {
	for _, tt := range []struct {
		small   []int
		large   bool
		want    fate
		volleys int
	}{
		{[]int{7}, false, vanishes, 1},
		{[]int{6, 0, 0, 1, 1}, false, vanishes, 5}, // 1 in 429, 858, 1716
		{[]int{6, 2}, false, vanishes, 2},
		{[]int{5, 4}, false, vanishes, 2},
		{[]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false, vanishes, 10}, // 2^10
		{[]int{1, 1, 1, 1, 1, 1, 1, 1, 1}, false, unknown, 12},     // 2^9
		{nil, false, unknown, 12},
		{[]int{6, 1, 0}, true, passes, 3},
	} {
		v, volleys, settled := beside(t, tt.small, tt.large)
		if v.fate != tt.want || volleys != tt.volleys || !settled {
			t.Errorf("%v answers to small ones: %d after %d volleys, want %d after %d", tt.small, v.fate, volleys, tt.want, tt.volleys)
		}
	}
}

// The order of the packets differs from volley to volley: no size is preferred.
func TestRule4TheOrderIsRandom(t *testing.T) {
	p := New(newWorld(free).cfg)
	seen := map[string]bool{}
	first := 0
	for range 200 {
		p.tryBesideSmall(1500, 8, func(verdict) {})
		seen[fmt.Sprint(p.volley.packets)] = true
		if p.volley.packets[0].size == 1500 {
			first++
		}
	}
	if len(seen) < 150 || first < 60 || first > 140 {
		t.Errorf("%d orders in 200 volleys, in %d the large one is first", len(seen), first)
	}
}

func TestRule5VanishingPacketsAreNotTriedAloneAgain(t *testing.T) {
	for _, vanishing := range []bool{false, true} {
		p := New(newWorld(free).cfg)
		p.Reached, p.vanishing = true, vanishing
		p.try(1500, 8, func(verdict) {})
		if got := len(p.volley.packets); got != map[bool]int{false: 3, true: 14}[vanishing] {
			t.Errorf("packets have vanished: %v, and %d are sent", vanishing, got)
		}
	}
}

func TestRule6WhereThePacketsGo(t *testing.T) {
	for _, tt := range []struct {
		name             string
		reached          bool
		witness, ttl     int
		packets          int
		beyond, answered bool
	}{
		{"to the target", true, 3, 8, 3, false, true},
		{"to the distance of the target", true, 3, 3, 3, false, true},
		{"to a router", true, 3, 2, 3, false, true},
		{"to the last that answers", false, 3, 3, 6, true, true},
		{"to one before it", false, 3, 2, 3, false, true},
		{"to nobody", false, 3, 8, 3, false, false},
		{"to a silent one", false, 3, 1, 3, false, false},
		{"to the last of all", false, 8, 8, 3, false, true},
	} {
		p := New(newWorld(free).cfg)
		p.Reached, p.witness = tt.reached, tt.witness
		p.Hops = []Hop{{Distance: 1}, {Distance: 2, Address: hopAddress(1)}, {Distance: tt.witness, Address: hopAddress(2)}}
		if p.try(1500, tt.ttl, func(verdict) {}); len(p.volley.packets) != tt.packets || p.goesBeyond(tt.ttl) != tt.beyond || p.isAnswered(tt.ttl) != tt.answered {
			t.Errorf("%s: %d packets, beyond: %v, answered: %v", tt.name, len(p.volley.packets), p.goesBeyond(tt.ttl), p.isAnswered(tt.ttl))
		}
	}
	p := New(newWorld(free).cfg)
	p.answers[2], p.answers[3] = plan.TimeExceeded, plan.Unreachable
	for ttl, want := range map[int]plan.Kind{2: plan.TimeExceeded, 3: plan.Unreachable, 8: plan.Reply} {
		if got := p.usual(ttl); got != want {
			t.Errorf("at distance %d small packets are answered by %d, want %d", ttl, got, want)
		}
	}
	if p.Reached, p.witness = true, 3; p.usual(3) != plan.Reply {
		t.Errorf("the target answers by %d", p.usual(3))
	}
}

// A size in the middle is a common one as long as there is any.
func TestRule7TheMiddleOfBounds(t *testing.T) {
	for _, tt := range []struct {
		passes, fails, want int
		common              bool
	}{
		{1280, 1500, 1438, true}, {1400, 1412, 1406, false}, {1399, 1412, 1400, true}, {68, 69, 68, false},
		{65520, 65535, 65527, false}, {1399, 1400, 1399, false}, {1399, 1401, 1400, true}, {1400, 1402, 1401, false},
	} {
		b := bounds{passes: tt.passes, fails: tt.fails}
		if got := b.middle(); got != tt.want || b.hasCommon() != tt.common {
			t.Errorf("between %d and %d: %d, common: %v; want %d", tt.passes, tt.fails, got, b.hasCommon(), tt.want)
		}
	}
}

func TestRule7WhatIsTriedNext(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    bounds
		size int
		v    verdict
		want int
		then bounds
	}{
		{"what was told", bounds{passes: 68, fails: 9001}, 9000, verdict{fate: refused, mtu: 1400}, 1400,
			bounds{passes: 68, fails: 9000, shown: true, last: verdict{fate: refused, mtu: 1400}, told: 1}},
		{"a byte more than was told", bounds{passes: 68, fails: 9000, shown: true, last: verdict{mtu: 1401}}, 1401, verdict{fate: passes}, 1402,
			bounds{passes: 1401, fails: 9000, shown: true, proven: true, last: verdict{mtu: 1401}}},
		{"the middle where nothing fails yet", bounds{passes: 68, fails: 1501, last: verdict{mtu: 1500}}, 1500, verdict{fate: passes}, 0,
			bounds{passes: 1500, fails: 1501, proven: true, last: verdict{mtu: 1500}}},
		{"a byte more than the last common size", bounds{passes: 1399, fails: 1410, shown: true}, 1400, verdict{fate: passes}, 1401,
			bounds{passes: 1400, fails: 1410, shown: true, proven: true}},
		{"the middle where there is another common size", bounds{passes: 1399, fails: 1420, shown: true}, 1400, verdict{fate: passes}, 0,
			bounds{passes: 1400, fails: 1420, shown: true, proven: true}},
		{"the middle behind no common size", bounds{passes: 1400, fails: 1410, shown: true}, 1405, verdict{fate: passes}, 0,
			bounds{passes: 1405, fails: 1410, shown: true, proven: true}},
		{"nothing where nothing can be told", bounds{passes: 68, fails: 1410}, 1405, verdict{}, 0, bounds{passes: 68, fails: 1410, open: 1405}},
		{"what is told for the 8th time", bounds{passes: 68, fails: 1410, told: 7}, 1405, verdict{fate: refused, mtu: 1399}, 1399,
			bounds{passes: 68, fails: 1405, shown: true, last: verdict{fate: refused, mtu: 1399}, told: 8}},
		{"the middle where it is told once more", bounds{passes: 68, fails: 1410, told: 8}, 1405, verdict{fate: refused, mtu: 1399}, 0,
			bounds{passes: 68, fails: 1405, shown: true, last: verdict{fate: refused, mtu: 1399}, told: 9}},
	} {
		if got := tt.b.take(tt.size, tt.v); got != tt.want || tt.b != tt.then {
			t.Errorf("%s: %d, want %d; %+v", tt.name, got, tt.want, tt.b)
		}
	}
}

func TestRule7ASearchBegins(t *testing.T) {
	for _, tt := range []struct {
		b     bounds
		sizes []int // that are tried, where the link takes 1400
	}{
		{bounds{passes: 68, fails: 1501, shown: true, first: 1401}, []int{1401, 1320, 1380}},
		{bounds{passes: 1399, fails: 1403, shown: true}, []int{1402, 1400, 1401}},
		{bounds{passes: 1400, fails: 1401}, nil},
		{bounds{passes: 1390, fails: 1392, first: 9000}, []int{1391}},
		{bounds{passes: 1390, fails: 1392, first: 1390}, []int{1391}},
		{bounds{passes: 1390, fails: 1392, first: 1392}, []int{1391}},
	} {
		p := New(newWorld(free).cfg)
		done := false
		p.volley, p.route = nil, nil
		p.search(8, &tt.b, func() { done = true })
		var sizes []int
		for !done && len(sizes) < 3 {
			size := p.volley.packets[0].size
			sizes = append(sizes, size)
			probe, _, _ := p.Next(time.Unix(1<<33, 0))
			o := plan.Observation{Key: probe.Key, Settles: true, Kind: plan.Reply, Responder: hopAddress(1)}
			if size > 1400 {
				o.Kind = plan.TooBig
			}
			p.Observe(time.Time{}, &o)
		}
		if !slices.Equal(sizes, tt.sizes) {
			t.Errorf("%+v: %v are tried, want %v", tt.b, sizes, tt.sizes)
		}
	}
}

func TestRule8WhatIsConcluded(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    bounds
		left int
		want string
	}{
		{"exact", bounds{passes: 1400, proven: true, fails: 1401, shown: true}, 1400, "1400ce:"},
		{"the largest that was tried", bounds{passes: 1400, proven: true, fails: 1401}, 1400, "1400c:"},
		{"not told apart", bounds{passes: 1400, proven: true, fails: 1500, shown: true, open: 1450}, 1450, "1400c:"},
		{"nothing speaks against it", bounds{passes: 68, proven: true, fails: 1500, open: 1499}, 1499, "1499:"},
		{"nor for it", bounds{passes: 68, proven: true, fails: 1500, open: 1499}, 68, "0:"},
		{"nothing was answered", bounds{passes: 68, fails: 1500, shown: true}, 68, "68:"},
	} {
		p := New(newWorld(free).cfg)
		p.left = tt.left
		if p.conclude(&tt.b); p.words() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, p.words(), tt.want)
		}
	}
}

func TestRule10WhoReportsABottleneck(t *testing.T) {
	p := New(newWorld(free).cfg)
	p.Hops = []Hop{{Distance: 1, Address: hopAddress(0)}, {Distance: 2}, {Distance: 3, Address: hopAddress(2)}}
	for _, tt := range []struct{ by, distance, after int }{
		{0, 3, 1}, {0, 1, 1}, {2, 3, 3}, {2, 2, 1}, {7, 3, 2},
	} {
		if n := p.reported(tt.distance, 1400, hopAddress(tt.by)); n.after != tt.after || n.before != tt.after+1 || n.mtu != 1400 {
			t.Errorf("by %d at distance %d: between %d and %d, want after %d", tt.by, tt.distance, n.after, n.before, tt.after)
		}
	}
	for distance, want := range map[int]int{1: 1, 2: 3, 3: 3, 4: 4} {
		if got := p.answererFrom(distance); got != want {
			t.Errorf("the next that answers from %d on is %d, want %d", distance, got, want)
		}
	}
}

func TestRule11WhatWasToldOfABottleneck(t *testing.T) {
	for _, tt := range []struct {
		told   int
		by     bool
		passes int // 0: it is measured
	}{
		{1400, true, 1400}, {1450, true, 1450}, {1399, true, 0}, {1500, true, 0}, {1499, true, 1499}, {1450, false, 0}, {0, true, 0},
	} {
		p := New(newWorld(free).cfg)
		p.MTU = 1400
		n, got := bottleneck{after: 1, before: 2, mtu: tt.told}, 0
		if tt.by {
			n.reporter = hopAddress(0)
		}
		if p.measure(n, 1500, func(_ bottleneck, passes int) { got = passes }); got != tt.passes {
			t.Errorf("told %d: %d, want %d", tt.told, got, tt.passes)
		}
		if tt.passes == 0 && (p.volley == nil || p.volley.packets[0] != packet{1401, 2}) {
			t.Errorf("told %d: not measured by a byte more than the path takes", tt.told)
		}
	}
}

// Packets that are lost by chance are no black hole.
func TestRule4LossIsNoBlackHole(t *testing.T) {
	for from := 10; from < 60; from += 5 {
		w := newWorld(free, router{mtu: 1400}, free)
		w.lost = map[int]bool{}
		for i := range 25 {
			w.lost[from+i] = true
		}
		w.run(t)
		if p := w.plan; len(p.Holes) > 0 || p.Exact && p.MTU != 1400 {
			t.Errorf("with 25 lost packets from the %dth on: %s", from, p.words())
		}
	}
}

// A search that the system takes no packet of has no result.
func TestASearchWithoutPackets(t *testing.T) {
	w := newWorld(free)
	p, none := New(w.cfg), errors.New("no path")
	now := w.start
	for i := 0; !p.Done() && i < 1000; i++ {
		probe, ok, wake := p.Next(now)
		if ok {
			p.Refused(probe.Key, none, now)
		} else {
			now = wake
		}
	}
	if !p.Done() || p.Err() != none || p.Alone() {
		t.Errorf("done: %v, %v", p.Done(), p.Err())
	}
}

// The trace of the hops stops and waits where answers are unclear, and its probes may
// be recalled.
func TestATraceThatStopsAndWaits(t *testing.T) {
	p := New(newWorld(free).cfg)
	now := time.Unix(100, 0)
	a, _, _ := p.Next(now)
	b, _, _ := p.Next(now)
	if a.Size != 68 || a.TTL != 1 || b.TTL != 2 || !p.Wants(b.Key) {
		t.Errorf("%+v, %+v", a, b)
	}
	p.Recall(b.Key)
	if c, ok, _ := p.Next(now); !ok || c.TTL != 2 {
		t.Errorf("after a recall %+v leaves", c)
	}
	p.Sent(a.Key, now)
	p.Observe(now, &plan.Observation{Key: a.Key, Kind: plan.Unclear})
	if !p.Alone() {
		t.Error("it does not stop and wait")
	}
	if p.IsDatagram(a.Key) {
		t.Error("an echo request is a datagram")
	}
	p.flow = 1
	if d := p.ask(asked{}, packet{100, 3}); d.Flow != 1 || !p.IsDatagram(d.Key) {
		t.Errorf("%+v is no datagram", d)
	}
}

// What this system says that it sends, when it refuses 9,000 bytes: it is believed where it
// can be, and the least that it says counts.
func TestRule2WhatThisSystemSays(t *testing.T) {
	for _, tt := range []struct{ before, told, want int }{
		{0, 1500, 1500}, {0, 68, 68}, {0, 67, 8999}, {0, 0, 8999}, {0, 8999, 8999}, {0, 9000, 8999}, {0, 9001, 8999}, {1500, 1400, 1400}, {1400, 1500, 1400},
	} {
		p := New(newWorld(free).cfg)
		p.LocalMTU = tt.before
		if p.limit(9000, tt.told); p.LocalMTU != tt.want {
			t.Errorf("told %d after %d: %d, want %d", tt.told, tt.before, p.LocalMTU, tt.want)
		}
	}
	p := New(newWorld(free).cfg)
	largest := 0
	p.halve(68, 9000, 0, func(size int) { largest = size })
	probe, _, _ := p.Next(time.Time{})
	if p.Refused(probe.Key, errGone, time.Time{}); largest != 8999 || p.LocalMTU != 0 {
		t.Errorf("refused for another reason than its size: up to %d is tried, the link takes %d", largest, p.LocalMTU)
	}
}

// The first kind of answer of a hop stands, but for a reply; so does the first refusal.
func TestRule1WhatATraceSeesOfAHop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kinds []plan.Kind
		want  plan.Kind
		mtu   int
	}{
		{"a reply behind an error", []plan.Kind{plan.TimeExceeded, plan.Reply}, plan.Reply, 0},
		{"an error behind a reply", []plan.Kind{plan.Reply, plan.TimeExceeded}, plan.Reply, 0},
		{"the first of two errors", []plan.Kind{plan.TooBig, plan.TimeExceeded, plan.TooBig}, plan.TooBig, 1000},
	} {
		var r route
		for i, kind := range tt.kinds {
			r.note(&plan.Observation{Key: plan.MakeKey(2, i), Kind: kind, Responder: hopAddress(i), MTU: 1000 + i})
		}
		if h := r.hops[2]; h.kind != tt.want || h.address != hopAddress(0) || h.mtu != tt.mtu || h.refuser.IsValid() != (tt.mtu > 0) {
			t.Errorf("%s: %+v", tt.name, h)
		}
	}
}

// What was told of a link is not believed when the link is told of again.
func TestRule11WhatIsToldOfALinkASecondTime(t *testing.T) {
	for last, measured := range map[int]bool{1: false, 2: true, 3: true} {
		p := New(newWorld(free).cfg)
		p.MTU, p.volley, p.route = 1400, nil, nil
		s := &profile{p: p, size: 1500, from: 1, last: last, largest: 9000, end: 8}
		s.pass(bottleneck{after: 2, before: 3, mtu: 1450, reporter: hopAddress(1)})
		if (p.volley != nil) != measured || (p.route != nil) == measured {
			t.Errorf("behind hop %d: measured is %v", last, p.volley != nil)
		}
	}
}

// Those behind the farthest who answer small packets are asked one by one, none twice.
func TestRule9WhoIsAskedForLargePackets(t *testing.T) {
	for _, tt := range []struct {
		farthest, end int
		answers       []plan.Kind
		asked         []int
	}{
		{1, 8, []plan.Kind{plan.TimeExceeded, plan.TimeExceeded}, []int{2, 4}},
		{2, 8, []plan.Kind{plan.TimeExceeded}, []int{4}},
		{2, 4, []plan.Kind{plan.TimeExceeded}, []int{4}},
		{2, 3, nil, nil},
		{4, 8, nil, nil},
	} {
		p := New(newWorld(free).cfg)
		p.Hops = []Hop{{Distance: 1, Address: hopAddress(0)}, {Distance: 2, Address: hopAddress(1)}, {Distance: 3}, {Distance: 4, Address: hopAddress(3)}}
		p.answers[2], p.answers[4] = plan.TimeExceeded, plan.TimeExceeded
		p.Reached, p.witness, p.volley, p.route = true, 5, nil, nil
		done := false
		s := &profile{p: p, size: 9000, from: 1, last: -1, largest: 9000, end: tt.end, then: func() { done = true }}
		s.askHops(0, tt.farthest)
		var asked []int
		for i := 0; !done && i < len(tt.answers); i++ {
			probe, _, _ := p.Next(time.Unix(1<<33, 0))
			asked = append(asked, probe.TTL)
			p.Observe(time.Time{}, &plan.Observation{Key: probe.Key, Settles: true, Kind: tt.answers[i], Responder: hopAddress(probe.TTL)})
		}
		if !done || !slices.Equal(asked, tt.asked) {
			t.Errorf("behind hop %d, up to %d: %v are asked, want %v", tt.farthest, tt.end, asked, tt.asked)
		}
	}
}
