package live

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// began is when the rounds of all samples begin.
var began = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// sampleHop is a hop as a test describes it.
type sampleHop struct {
	addresses []string // who answers, in turn; none: nobody does
	delay     time.Duration
	noise     time.Duration
	lost      func(round int) bool // nil: none
	late      func(round int) bool
	labels    []icmp.MPLSLabel
}

func every(n int) func(int) bool { return func(round int) bool { return round%n == 0 } }

func between(from, to int) func(int) bool {
	return func(round int) bool { return from <= round && round <= to }
}

// result makes up what becomes of the probe of a round.
func (h *sampleHop) result(target netip.Addr, distance, round int) icmplib.Result {
	r := icmplib.Result{
		Dst: target, TTL: distance, Seq: round - 1,
		Sent:   began.Add(time.Duration(round) * time.Second),
		Status: icmplib.StatusNoReply,
	}
	if len(h.addresses) == 0 || h.lost != nil && h.lost(round) {
		return r
	}
	r.Responder = netip.MustParseAddr(h.addresses[round%len(h.addresses)])
	r.Status = icmplib.StatusReply // what a hop's Stats count as received
	r.Late = h.late != nil && h.late(round)
	steps := time.Duration((round*7919 + distance*104729) % 101)
	r.RTT = h.delay + h.noise*steps/100
	r.MPLS = h.labels
	return r
}

// route makes up the hop after so many rounds.
func (h *sampleHop) hop(target netip.Addr, distance, rounds int) icmplib.Hop {
	hop := icmplib.Hop{Distance: distance, Status: icmplib.StatusNoReply, MPLS: h.labels}
	for round := 1; round <= rounds; round++ {
		r := h.result(target, distance, round)
		hop.Stats.Add(r)
		if r.Responder.IsValid() {
			h.answered(&hop, &r, target)
		}
	}
	return hop
}

func (h *sampleHop) answered(hop *icmplib.Hop, r *icmplib.Result, target netip.Addr) {
	status := icmplib.StatusTTLExpired
	if r.Responder == target {
		status = icmplib.StatusReply
	}
	if hop.Address = r.Responder; hop.Status != icmplib.StatusReply {
		hop.Status = status
	}
	for i := range hop.Responders {
		if hop.Responders[i].Address == r.Responder {
			hop.Responders[i].PacketsReceived++
			return
		}
	}
	hop.Responders = append(hop.Responders, icmplib.Responder{
		Address: r.Responder, PacketsReceived: 1, Status: status, MPLS: h.labels,
	})
}

// sample is a route with what happens on it.
type sample struct {
	target string
	hops   []sampleHop
	events map[int]icmplib.Event // by round
	end    icmplib.RouteEnd      // the zero value: the target is reached
}

// feed has a Model see so many rounds.
func (s *sample) feed(m *Model, place, rounds int) {
	target := netip.MustParseAddr(s.target)
	for round := 1; round <= rounds; round++ {
		shot := &icmplib.Snapshot{
			Round: round,
			Time:  began.Add(time.Duration(round)*time.Second + 500*time.Millisecond),
			Route: icmplib.Route{Address: target, Reached: s.end == 0, End: cmp.Or(s.end, icmplib.EndReached)},
		}
		for i := range s.hops {
			shot.Results = append(shot.Results, s.hops[i].result(target, i+1, round))
			if round == rounds { // the others are not looked at
				shot.Hops = append(shot.Hops, s.hops[i].hop(target, i+1, round))
			}
		}
		if e, ok := s.events[round]; ok {
			e.Round, e.Time = round, began.Add(time.Duration(round)*time.Second)
			shot.Events = []icmplib.Event{e}
		}
		m.Apply(Update{Target: place, Generation: m.Generation(), Snapshot: shot})
	}
}

// office is a route with something of everything.
var office = sample{
	target: "198.51.100.20",
	hops: []sampleHop{
		{addresses: []string{"192.168.1.1"}, delay: 400 * time.Microsecond, noise: 300 * time.Microsecond},
		{addresses: []string{"10.20.0.1"}, delay: 3 * time.Millisecond, noise: 9 * time.Millisecond, lost: every(3)},
		{},
		{addresses: []string{"203.0.113.9", "203.0.113.13"}, delay: 11 * time.Millisecond, noise: 2 * time.Millisecond,
			labels: []icmp.MPLSLabel{{Label: 24015, TTL: 1, BottomOfStack: true}}},
		{addresses: []string{"2001:db8:85a3:1234:5678:8a2e:370:7334"}, delay: 31 * time.Millisecond, noise: 40 * time.Millisecond, late: every(11)},
		{addresses: []string{"198.51.100.20"}, delay: 35 * time.Millisecond, noise: 5 * time.Millisecond, lost: between(20, 23)},
	},
	events: map[int]icmplib.Event{
		14: {Kind: icmplib.EventRouteChange, Distance: 4, From: netip.MustParseAddr("203.0.113.9"), To: netip.MustParseAddr("203.0.113.13")},
		22: {Kind: icmplib.EventOutage},
		24: {Kind: icmplib.EventRecovery, Duration: 4020 * time.Millisecond},
	},
}

// refused is a route that ends before its target.
var refused = sample{
	target: "198.51.100.20",
	end:    icmplib.EndUnreachable,
	hops: []sampleHop{
		{addresses: []string{"192.168.1.1"}, delay: time.Millisecond},
		{addresses: []string{"203.0.113.250"}, delay: 2 * time.Millisecond, lost: every(4)},
	},
}

// near is a route of one hop.
var near = sample{
	target: "127.0.0.1",
	hops:   []sampleHop{{addresses: []string{"127.0.0.1"}, delay: 40 * time.Microsecond, noise: 20 * time.Microsecond}},
}

// slow is a route whose target loses much.
var slow = sample{
	target: "2001:db8::53",
	hops: []sampleHop{
		{addresses: []string{"2001:db8::1"}, delay: time.Millisecond, noise: time.Millisecond},
		{addresses: []string{"2001:db8::53"}, delay: 310 * time.Millisecond, noise: 80 * time.Millisecond, lost: every(2)},
	},
}

// far is a route of so many hops.
func far(hops int) sample {
	s := sample{target: "198.51.100.99"}
	for i := range hops - 1 {
		s.hops = append(s.hops, sampleHop{
			addresses: []string{netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 1)}).String()},
			delay:     time.Duration(i+1) * 2 * time.Millisecond, noise: time.Millisecond,
		})
	}
	s.hops = append(s.hops, sampleHop{addresses: []string{s.target}, delay: 90 * time.Millisecond, noise: time.Millisecond})
	return s
}

// names are those of some addresses.
func names(a netip.Addr) string {
	return map[string]string{
		"192.168.1.1":  "gateway.example",
		"10.20.0.1":    "bras1.access.example.net",
		"203.0.113.9":  "ae-3-4-ur01.metropolitan-area-network.core.example.net",
		"203.0.113.13": "ae-4-4-ur01.metropolitan-area-network.core.example.net",
	}[a.String()]
}
