package pmtu

import (
	"cmp"
	"net/netip"

	"github.com/goicmp/icmplib/internal/plan"
)

// commonMTUs are common MTUs of links: those of RFC 1191 section 7.1, and those that common
// tunnels leave of Ethernet's 1500 bytes and of jumbo frames. They are tried before others.
var commonMTUs = [...]int{
	68, 296, 508, 576, 1006, 1280, 1300, 1320, 1340, 1358, 1360, 1380, 1392, 1400, 1412, 1420, 1428, 1436, 1438,
	1440, 1446, 1450, 1454, 1460, 1462, 1468, 1472, 1476, 1480, 1488, 1492, 1500, 2002, 4352, 4470, 8166,
	8942, 8950, 8970, 8980, 9000, 9180, 9190, 9216, 16110, 17914, 32000, 65520,
}

// bounds holds the bounds of the largest packet that gets to a distance.
type bounds struct {
	passes int // it passes, or is so small that it must pass
	proven bool
	fails  int // it does not, or is larger than any to be tried
	shown  bool
	last   verdict // why fails fails
	open   int     // the size that could not be decided; 0: none
	first  int     // the size to begin with; 0: the largest
	told   int     // how often a router reported a size
}

// maxTold is how often a search follows the reports of routers. Paths do not have that many
// links of falling MTU: more reports are made up.
const maxTold = 8

// middle returns the middle one of the common sizes between the bounds, or the middle of
// the bounds if there is none.
func (b *bounds) middle() int {
	var between []int
	for _, size := range commonMTUs {
		if size > b.passes && size < b.fails {
			between = append(between, size)
		}
	}
	if len(between) > 0 {
		return between[len(between)/2]
	}
	return b.passes + (b.fails-b.passes)/2
}

// hasCommon reports whether there is a common size between the bounds.
func (b *bounds) hasCommon() bool {
	for _, size := range commonMTUs {
		if size > b.passes && size < b.fails {
			return true
		}
	}
	return false
}

func isCommonMTU(size int) bool {
	for _, common := range commonMTUs {
		if size == common {
			return true
		}
	}
	return false
}

// take notes the verdict on packets of a size, and returns the size to try next; 0 means
// the middle.
func (b *bounds) take(size int, v verdict) (suggested int) {
	switch v.fate {
	case unknown:
		b.open = size
	case passes:
		b.passes, b.proven = size, true
		if b.shown && (b.last.mtu == size || isCommonMTU(size) && !b.hasCommon()) {
			return size + 1
		}
	default:
		b.fails, b.shown, b.last = size, true, v
		if b.told++; b.told <= maxTold {
			return v.mtu
		}
	}
	return 0
}

// search finds the largest packet that gets to a distance, between bounds.
func (p *Plan) search(ttl int, b *bounds, then func()) {
	p.searchFrom(cmp.Or(b.first, b.fails-1), ttl, b, then)
}

func (p *Plan) searchFrom(size, ttl int, b *bounds, then func()) {
	if b.fails-b.passes <= 1 || b.open > 0 {
		then()
		return
	}
	if size <= b.passes || size >= b.fails {
		size = b.middle()
	}
	p.try(size, ttl, func(v verdict) {
		if v.fate == local {
			p.limit(size, v.mtu)
		}
		p.searchFrom(b.take(size, v), ttl, b, then)
	})
}

// limit notes that this system does not send a size, and the size that it reports it can
// send (0: none reported).
func (p *Plan) limit(size, told int) {
	if told < p.cfg.Least || told >= size {
		told = size - 1
	}
	if p.LocalMTU == 0 || told < p.LocalMTU {
		p.LocalMTU = told
	}
}

// verdict is the result of packets of one size.
type verdict struct {
	fate     fate
	mtu      int        // of a refusal; 0: not reported
	reporter netip.Addr // of a refusal
}

type fate uint8

const (
	unknown  fate = iota // too few answers of any kind to tell
	passes               // it was answered
	refused              // a router reported that it is too big
	vanishes             // it is not answered, and smaller ones are
	local                // this system does not send it
)

// chance is the greatest accepted probability that packets which arrive are taken for
// packets which do not. A volley has perVolley packets of the size, and as many small ones:
// one volley is enough if nothing is lost. maxVolleys limits how many are sent.
const (
	chance     = 1e-3
	perVolley  = 7
	maxVolleys = 12
)

// take notes an observation of a packet to a hop where small packets get the usual answer,
// and reports whether the verdict is clear. An error of another kind means that the packet
// did not get there, for example because a firewall passes small ones only.
func (v *verdict) take(o *plan.Observation, usual plan.Kind) bool {
	switch {
	case o.Kind == plan.TooBig && (o.Local || !o.Responder.IsValid()):
		*v = verdict{fate: local, mtu: o.MTU}
	case !o.IsAnswer(), o.Local:
		return false
	case o.Kind == plan.Reply || o.FromTarget || o.Kind == usual:
		if v.fate != refused {
			v.fate = passes
		}
	case o.Kind == plan.TimeExceeded:
		return false // from a longer path
	default:
		*v = verdict{refused, o.MTU, o.Responder}
	}
	return true
}

// onlySmall returns the probability that all answered packets are small ones, if there are
// n of each size and the size makes no difference.
func onlySmall(answered, n int) float64 {
	likelihood := 1.0
	for i := range answered {
		likelihood *= float64(n-i) / float64(2*n-i)
	}
	return likelihood
}

// try finds out whether packets of a given size get to the hop at a distance.
func (p *Plan) try(size, ttl int, then func(verdict)) {
	answered, beyond := p.isAnswered(ttl), p.goesBeyond(ttl)
	if p.vanishing && answered && !beyond {
		p.tryBesideSmall(size, ttl, then) // it would most probably come to this
		return
	}
	var v verdict
	usual := p.usual(ttl)
	var packets []packet
	for range p.cfg.Count {
		packets = append(packets, packet{size, ttl})
		if beyond {
			packets = append(packets, packet{size, p.cfg.MaxHops})
		}
	}
	p.fire(&volley{
		packets: packets,
		take:    func(_ packet, o *plan.Observation) bool { return v.take(o, usual) && !(v.fate == passes && beyond) },
		then: func() {
			if v.fate != unknown || !answered {
				then(v)
				return
			}
			p.tryBesideSmall(size, ttl, then)
		},
	})
}

// isAnswered reports whether small packets to a distance are answered.
func (p *Plan) isAnswered(ttl int) bool {
	for i := range p.Hops {
		if p.Hops[i].Distance == ttl && p.Hops[i].Address.IsValid() {
			return true
		}
	}
	return p.Reached && ttl >= p.witness
}

// usual returns the kind of answer to small packets to a distance.
func (p *Plan) usual(ttl int) plan.Kind {
	if kind, ok := p.answers[ttl]; ok && !(p.Reached && ttl >= p.witness) {
		return kind
	}
	return plan.Reply
}

// goesBeyond reports whether packets must go farther than the last hop that answers,
// because a router behind it may report that they are too big.
func (p *Plan) goesBeyond(ttl int) bool {
	return !p.Reached && ttl == p.witness && ttl < p.cfg.MaxHops
}

// tryBesideSmall sends small packets among those of the size, until one of the size is
// answered, or so many small ones are that chance is ruled out. The order is random, so
// that no rate limit on answers favours a size: if both sizes arrive, each selection of
// answered packets is as likely as any other.
func (p *Plan) tryBesideSmall(size, ttl int, then func(verdict)) {
	p.tryVolley(size, ttl, 1, maxVolleys, then)
}

// tryVolley is tryBesideSmall with a number of volleys left, and with the likelihood so far
// that the result is chance.
func (p *Plan) tryVolley(size, ttl int, likelihood float64, left int, then func(verdict)) {
	var v verdict
	usual, answered := p.usual(ttl), 0
	var packets []packet
	for range perVolley {
		packets = append(packets, packet{p.cfg.Least, ttl}, packet{size, ttl})
	}
	p.order.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	p.fire(&volley{
		packets: packets,
		take: func(pk packet, o *plan.Observation) bool {
			if pk.size == size {
				return v.take(o, usual)
			}
			var answer verdict
			if answer.take(o, usual); answer.fate == passes && o.Settles {
				answered++
			}
			return false
		},
		then: func() {
			likelihood *= onlySmall(answered, perVolley)
			switch {
			case v.fate != unknown:
				then(v)
			case likelihood < chance:
				p.vanishing = true
				then(verdict{fate: vanishes})
			case left == 1:
				then(v)
			default:
				p.tryVolley(size, ttl, likelihood, left-1, then)
			}
		},
	})
}
