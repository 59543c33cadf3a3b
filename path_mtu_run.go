package icmplib

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// mtuRun finds the MTU of a path. First small packets find the hops, then the
// largest packet that gets to the end is searched for, and last, where on the
// way larger ones end.
type mtuRun struct {
	p      *Prober
	pool   *engine.Pool
	dst    netip.Addr
	opts   PathMTUOptions
	least  int // a size that passes everywhere
	result *MTUReport

	witness   int            // the distance of the farthest hop that answers; 0: none does
	vanishing bool           // packets of some size have vanished
	statuses  map[int]Status // with what small packets are answered, by distance
	order     *rand.Rand     // of packets that are sent together
}

// newPathMTU does all that can fail before anything is sent.
func (p *Prober) newPathMTU(ctx context.Context, target string, o *PathMTUOptions) (*mtuRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	if err := opts.validateFor(dst); err != nil {
		return nil, err
	}
	return &mtuRun{
		p: p, pool: pool, dst: dst, opts: opts, least: leastMTU(dst),
		result:   &MTUReport{Address: dst, Name: target},
		statuses: map[int]Status{}, order: rand.New(rand.NewPCG(1, 2)), // the same each time: nobody works against it
	}, nil
}

func (r *mtuRun) find(ctx context.Context) error {
	if err := r.survey(ctx); err != nil {
		return err
	}
	largest, err := r.findLocal(ctx)
	if err != nil {
		return err
	}
	b := mtuBounds{passes: r.least, proven: r.witness > 0, fails: largest + 1, shown: r.result.LocalMTU > 0, last: mtuVerdict{fate: mtuLocal}}
	ttl := r.witness
	if r.result.Reached || ttl == 0 {
		ttl = r.opts.MaxHops
	}
	if err := r.findBetween(ctx, &b, largest, ttl); err != nil {
		return err
	}
	return r.tellReplies(ctx, largest, ttl)
}

// findBetween finds the MTU of the path between bounds, and where it falls.
func (r *mtuRun) findBetween(ctx context.Context, b *mtuBounds, largest, ttl int) error {
	err := r.search(ctx, ttl, b)
	r.conclude(b)
	if err != nil {
		return err
	}
	return r.profile(ctx, largest, ttl)
}

// tellReplies tells large probes that vanish in front of the target from its large
// replies that do. Its answer to an echo request is as large as the request, that to
// a datagram is small; and so are those of routers.
func (r *mtuRun) tellReplies(ctx context.Context, largest, ttl int) error {
	holes := r.result.BlackHoles
	if len(holes) == 0 || !r.result.Reached || r.opts.Packet.Protocol != ICMP {
		return nil
	}
	hole := &holes[len(holes)-1]
	if hole.Before < r.witness {
		return nil // a router behind it would have answered
	}
	if !r.useDatagrams() {
		r.doubt(hole)
		return nil
	}
	v, err := r.tryBesideSmall(ctx, hole.Fails, ttl)
	switch {
	case v.fate == mtuVanishes:
		return nil
	case v.fate != mtuPasses:
		r.doubt(hole)
		return err
	}
	replies := BlackHole{After: r.witness, Passes: hole.Passes, Fails: hole.Fails, Replies: true}
	b := mtuBounds{passes: hole.Fails, proven: true, fails: largest + 1, shown: r.result.LocalMTU > 0, last: mtuVerdict{fate: mtuLocal}}
	r.result.BlackHoles = nil
	for i := range r.result.Hops {
		h := &r.result.Hops[i]
		*h = HopMTU{Distance: h.Distance, Address: h.Address}
	}
	err = r.findBetween(ctx, &b, largest, ttl)
	r.result.BlackHoles = append(r.result.BlackHoles, replies)
	return err
}

// useDatagrams goes on with UDP, and reports whether it can.
func (r *mtuRun) useDatagrams() bool {
	packet := r.opts.Packet
	packet.Protocol = UDP
	pool, err := r.p.poolFor(&packet, r.dst)
	if err == nil {
		r.opts.Packet, r.pool = packet, pool
	}
	return err == nil
}

// doubt notes that the replies may vanish as well.
func (r *mtuRun) doubt(hole *BlackHole) {
	hole.Unsure, r.result.Exact = true, false
}

// conclude notes the MTU of the path.
func (r *mtuRun) conclude(b *mtuBounds) {
	r.result.MTU, r.result.Confirmed = b.passes, b.proven
	r.result.Exact = b.shown && b.fails == b.passes+1
	if b.open > 0 && b.passes == r.least {
		r.result.MTU, r.result.Confirmed = b.open, false // nothing speaks against it
	}
}

// survey finds the hops that there are by small packets.
func (r *mtuRun) survey(ctx context.Context) error {
	route, err := r.trace(ctx, r.least, 1)
	if err != nil {
		return err
	}
	r.result.Reached = route.Reached
	for i := range route.Hops {
		h := &route.Hops[i]
		r.result.Hops = append(r.result.Hops, HopMTU{Distance: h.Distance, Address: h.Address})
		if !h.IsSilent() && h.Status != StatusPacketTooBig {
			r.witness, r.statuses[h.Distance] = h.Distance, h.Status
		}
	}
	if r.witness > 0 {
		r.result.Hops = slices.DeleteFunc(r.result.Hops, func(h HopMTU) bool { return h.Distance > r.witness })
	}
	return nil
}

// trace traces the route by packets of a size.
func (r *mtuRun) trace(ctx context.Context, size, first int) (*Route, error) {
	packet := r.packet(mtuProbe{size: size})
	run := &traceRun{p: r.p, pool: r.pool, dst: r.dst, opts: TracerouteOptions{
		FirstHop: first, MaxHops: r.opts.MaxHops, Count: r.opts.Count, Interval: r.opts.Interval,
		Timeout: r.opts.Timeout, Fast: true, Packet: packet,
	}}
	return run.route(ctx, r.result.Name)
}

// commonMTUs are sizes that links have: those of RFC 1191 section 7.1, and what
// is left of Ethernet's 1500 bytes, and of jumbo frames, by the tunnels in use.
// They are tried before others.
var commonMTUs = [...]int{
	68, 296, 508, 576, 1006, 1280, 1300, 1320, 1340, 1358, 1360, 1380, 1392, 1400, 1412, 1420, 1428, 1436, 1438,
	1440, 1446, 1450, 1454, 1460, 1462, 1468, 1472, 1476, 1480, 1488, 1492, 1500, 2002, 4352, 4470, 8166,
	8942, 8950, 8970, 8980, 9000, 9180, 9190, 9216, 16110, 17914, 32000, 65520,
}

// mtuBounds is what is known of the largest packet that gets to a distance.
type mtuBounds struct {
	passes int // it passes, or is so small that it has to
	proven bool
	fails  int // it does not, or is larger than any to be tried
	shown  bool
	last   mtuVerdict // why fails fails
	open   int        // the size that nothing could be told of; 0: none
	first  int        // the size to begin with; 0: the largest
}

// maxTold is how often a search goes by what routers tell. There are not so many
// links that take less one after the other: somebody tells anything.
const maxTold = 8

// search finds the largest packet that gets to a distance, between bounds. What
// routers tell is tried first, and then what is a byte more; where they tell
// nothing, or nothing that can be true, it is common sizes and then halves.
func (r *mtuRun) search(ctx context.Context, ttl int, b *mtuBounds) error {
	suggested, told := cmp.Or(b.first, b.fails-1), 0
	for b.fails-b.passes > 1 {
		size := suggested
		if size <= b.passes || size >= b.fails {
			size = b.middle()
		}
		suggested = 0
		v, err := r.try(ctx, size, ttl)
		if err != nil {
			return err
		}
		switch v.fate {
		case mtuUnknown:
			b.open = size
			return nil
		case mtuPasses:
			b.passes, b.proven = size, true
			if b.shown && (b.last.mtu == size || isCommonMTU(size) && b.nextCommon() == 0) {
				suggested = size + 1
			}
		default:
			b.fails, b.shown, b.last = size, true, v
			if told++; told <= maxTold {
				suggested = v.mtu
			}
		}
	}
	return nil
}

// middle returns the common size in the middle of those between the bounds, and
// where there is none, the middle.
func (b *mtuBounds) middle() int {
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

// nextCommon returns the next common size above what passes; 0: none is left.
func (b *mtuBounds) nextCommon() int {
	for _, size := range commonMTUs {
		if size > b.passes && size < b.fails {
			return size
		}
	}
	return 0
}

func isCommonMTU(size int) bool {
	for _, common := range commonMTUs {
		if size == common {
			return true
		}
	}
	return false
}

// mtuVerdict is what became of packets of one size.
type mtuVerdict struct {
	fate     mtuFate
	mtu      int        // of a refusal; 0: it does not say
	reporter netip.Addr // of a refusal
}

type mtuFate uint8

const (
	mtuUnknown  mtuFate = iota // too few answers of any kind to tell
	mtuPasses                  // it was answered
	mtuRefused                 // a router said that it is too big
	mtuVanishes                // it is not answered, and smaller ones are
	mtuLocal                   // this system does not send it
)

// chance is how likely it may be at the most that packets which get there pass for
// such as do not. A volley has so many of the size, and as many small ones: one volley
// is enough where nothing is lost. maxVolleys bounds how long it is tried.
const (
	chance     = 1e-3
	perVolley  = 7
	maxVolleys = 12
)

// try finds out whether packets of a size get to the hop at a distance.
func (r *mtuRun) try(ctx context.Context, size, ttl int) (v mtuVerdict, err error) {
	if r.vanishing && r.answers(ttl) && !r.goesBeyond(ttl) {
		return r.tryBesideSmall(ctx, size, ttl) // it comes to that, most probably
	}
	usual := r.usual(ttl)
	var probes []mtuProbe
	for range r.opts.Count {
		probes = append(probes, mtuProbe{size, ttl})
		if r.goesBeyond(ttl) {
			probes = append(probes, mtuProbe{size, r.opts.MaxHops})
		}
	}
	err = r.volley(ctx, probes, func(p mtuProbe, result *Result) bool {
		return v.take(result, usual) && !(v.fate == mtuPasses && r.goesBeyond(ttl))
	})
	if err != nil || v.fate != mtuUnknown || !r.answers(ttl) {
		return v, err
	}
	return r.tryBesideSmall(ctx, size, ttl)
}

// answers tells whether somebody answers small packets to a distance.
func (r *mtuRun) answers(ttl int) bool {
	for _, hop := range r.result.Hops {
		if hop.Distance == ttl && hop.Address.IsValid() {
			return true
		}
	}
	return r.result.Reached && ttl >= r.witness
}

// usual returns with which status small packets to a distance are answered.
func (r *mtuRun) usual(ttl int) Status {
	if status, ok := r.statuses[ttl]; ok && !(r.result.Reached && ttl >= r.witness) {
		return status
	}
	return StatusReply
}

// goesBeyond tells whether packets have to go farther than to the last hop that
// answers, for a router behind it may say that they are too big.
func (r *mtuRun) goesBeyond(ttl int) bool {
	return !r.result.Reached && ttl == r.witness && ttl < r.opts.MaxHops
}

// take notes what a result to a packet says that was to get to where small ones
// are answered with a status, and tells whether it is clear. An error of another
// kind means that it did not get there, as where a firewall lets small ones pass.
func (v *mtuVerdict) take(result *Result, usual Status) bool {
	switch {
	case result.Cause != nil && result.Status == StatusPacketTooBig:
		*v = mtuVerdict{fate: mtuLocal}
	case !result.Responder.IsValid() || result.informs():
		return false
	case result.Status == StatusReply || isFromTarget(result) || result.Status == usual:
		if v.fate != mtuRefused {
			v.fate = mtuPasses
		}
	case result.Status == StatusTTLExpired:
		return false // by another way, which is longer
	default:
		*v = mtuVerdict{mtuRefused, result.MTU, result.Responder}
	}
	return true
}

// tryBesideSmall sends small packets among those of the size, until one of the size is
// answered or so many small ones are that it cannot be chance. The order is random, so
// that whoever limits how often it answers, in whatever way, prefers no size: if both
// get there, each selection of answered packets is as likely as any other. Only small
// ones that were answered in the same volley count.
func (r *mtuRun) tryBesideSmall(ctx context.Context, size, ttl int) (v mtuVerdict, err error) {
	usual, likelihood := r.usual(ttl), 1.0
	for range maxVolleys {
		var probes []mtuProbe
		for range perVolley {
			probes = append(probes, mtuProbe{r.least, ttl}, mtuProbe{size, ttl})
		}
		r.order.Shuffle(len(probes), func(i, j int) { probes[i], probes[j] = probes[j], probes[i] })
		answered := 0
		err = r.volley(ctx, probes, func(p mtuProbe, result *Result) bool {
			if p.size == size {
				return v.take(result, usual)
			}
			var answer mtuVerdict
			if answer.take(result, usual); answer.fate == mtuPasses {
				answered++
			}
			return false
		})
		if err != nil || v.fate != mtuUnknown {
			return v, err
		}
		likelihood *= onlySmall(answered, perVolley)
		if likelihood < chance {
			r.vanishing = true
			return mtuVerdict{fate: mtuVanishes}, nil
		}
	}
	return v, nil
}

// onlySmall is how likely it is that all of so many answered packets are of one kind,
// where there are n of each kind and it makes no difference.
func onlySmall(answered, n int) float64 {
	p := 1.0
	for i := range answered {
		p *= float64(n-i) / float64(2*n-i)
	}
	return p
}

// mtuProbe is one packet of a volley.
type mtuProbe struct {
	size int // of the IP packet
	ttl  int
}

// Headers in front of the payload of an echo request or a datagram.
const (
	mtuHeaders4 = 20 + 8
	mtuHeaders6 = 40 + 8
)

// packet returns the shape of a probe.
func (r *mtuRun) packet(probe mtuProbe) Packet {
	pk := r.opts.Packet
	pk.TTL = probe.ttl
	pk.Size = probe.size - mtuHeaders4
	if r.dst.Is6() {
		pk.Size = probe.size - mtuHeaders6
	}
	return pk
}

// volley sends packets in turn, Interval apart, and hands each result to take,
// until all are settled or take says that it is enough. What is still in flight
// is then forgotten.
func (r *mtuRun) volley(ctx context.Context, probes []mtuProbe, take func(mtuProbe, *Result) (enough bool)) error {
	s := r.p.NewStream()
	defer s.Close()
	due := time.Now()
	results := make([]StreamResult, len(probes))
	for sent, settled := 0, 0; settled < len(probes); {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if sent < len(probes) {
			wait, cancel = context.WithDeadline(ctx, due)
		}
		n, err := s.Receive(wait, results)
		cancel()
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			probe := []StreamProbe{{Dst: r.dst, Tag: uint64(sent)}}
			probe[0].Timeout, probe[0].Packet = r.opts.Timeout, r.packet(probes[sent])
			if err := s.Send(ctx, probe); err != nil {
				return err
			}
			sent++
			due = time.Now().Add(r.opts.Interval)
		default:
			return err
		}
		for i := range n {
			settled++
			if take(probes[results[i].Tag], &results[i].Result) {
				return nil
			}
		}
	}
	return nil
}

// findLocal returns the largest packet that can be tried. It asks the system by
// giving it packets, for that knows the interface that they would leave by; they
// have a TTL of 1, and what is answered to them is of no interest.
func (r *mtuRun) findLocal(ctx context.Context) (int, error) {
	fits, err := r.isSent(ctx, r.opts.MaxMTU)
	if fits || err != nil {
		return r.opts.MaxMTU, err
	}
	low, high := r.least, r.opts.MaxMTU
	for guess := r.interfaceMTU(); high-low > 1; {
		size := low + (high-low)/2
		switch {
		case guess > low && guess < high:
			size = guess
		case guess == low && guess != r.least:
			size = guess + 1
			guess = 0
		}
		fits, err := r.isSent(ctx, size)
		if err != nil {
			return 0, err
		}
		if fits {
			low = size
		} else {
			high = size
		}
	}
	r.result.LocalMTU = low
	return low, nil
}

// isSent tells whether the system sends a packet of a size in one piece.
func (r *mtuRun) isSent(ctx context.Context, size int) (bool, error) {
	if err := r.p.pacer.Wait(ctx, 1); err != nil {
		return false, err
	}
	packet := r.packet(mtuProbe{size, 1})
	op := r.p.newOp(&packet, r.opts.Timeout, r.dst)
	defer op.Close()
	_, err := r.pool.Send(ctx, op, []engine.Probe{packet.probe(r.dst, 0, 1)})
	switch {
	case errors.Is(err, syscall.EMSGSIZE):
		return false, nil
	case wasStopped(ctx, err):
		return false, err
	}
	return true, nil // another refusal is found by those who need an answer
}

// interfaceMTU guesses the MTU of the interface that leads to the target; 0
// where that is not to be seen.
func (r *mtuRun) interfaceMTU() int {
	key, err := r.opts.Packet.key(&r.p.cfg, r.dst)
	if err != nil || r.p.other != nil {
		return 0
	}
	if key.device != "" {
		if i, err := net.InterfaceByName(key.device); err == nil {
			return i.MTU
		}
		return 0
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.dst, 9))) // it sends nothing
	if err != nil {
		return 0
	}
	defer c.Close()
	local, _ := c.LocalAddr().(*net.UDPAddr)
	interfaces, err := net.Interfaces()
	if err != nil || local == nil {
		return 0
	}
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(local.IP) {
				return i.MTU
			}
		}
	}
	return 0
}
