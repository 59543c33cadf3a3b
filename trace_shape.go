package icmplib

import "net/netip"

// closesLoop tells whether the hops up to index end with the same circle twice:
// two or more routers in turn, or one that answered three times.
func (p *tracePlan) closesLoop(index int) bool {
	return closesLoop(index, func(i, j int) bool { return sameAddress(p.hops[i].hop.Address, p.hops[j].hop.Address) })
}

// sameAddress tells whether two hops answer with one address.
func sameAddress(a, b netip.Addr) bool { return a.IsValid() && a == b }

// closesLoop tells the same of hops of which it is known which are alike.
func closesLoop(index int, alike func(i, j int) bool) bool {
	for size := 1; size <= (index+1)/2; size++ {
		rounds := 2
		if size == 1 {
			rounds = 3 // a router that forwards with a TTL of 0 is seen twice
		}
		same := size*rounds <= index+1
		for i := index; same && i > index-size*(rounds-1); i-- {
			same = alike(i, i-size)
		}
		if same {
			return true
		}
	}
	return false
}

// closesGap tells whether the hops up to index end with a gap of the limit.
func (p *tracePlan) closesGap(index int) bool {
	if p.opts.GapLimit == 0 || index+1 < p.opts.GapLimit {
		return false
	}
	for i := index; i > index-p.opts.GapLimit; i-- {
		if !p.hops[i].hop.IsSilent() {
			return false
		}
	}
	return true
}

// compare holds how a hop saw the probe against how the hop before it did, and
// the first one against what was sent.
func (p *tracePlan) compare(index int) {
	compareQuotes(&p.opts.Packet, index, func(i int) *Hop { return &p.hops[i].hop })
}

// compareQuotes does the same with any hops.
func compareQuotes(packet *Packet, index int, hop func(int) *Hop) {
	h := hop(index)
	seen := seenIn(h)
	if seen == nil {
		return // the target's answer quotes nothing
	}
	for i := index - 1; i >= 0; i-- {
		if before := hop(i); seenIn(before) != nil {
			h.sent = before.sent
			h.Rewritten = differences(seenIn(before), seen) & h.sent.telling()
			return
		}
	}
	h.sent = sentAs(packet, seen)
	h.Rewritten = differences(&h.sent, seen) & h.sent.telling()
}
