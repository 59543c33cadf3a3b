package netsim

// expire is the end of a packet whose TTL ran out at n.
func (w *walk) expire(n *node, f *flight, ordinal int) {
	w.fail(n, f, ordinal, fault{code: timeExceeded[version(f.p.v6)], cause: "time exceeded"})
}

// countDown decrements the TTL, and tells whether the packet lives on.
func (w *walk) countDown(n *node, f *flight, ordinal int) bool {
	ttl := f.p.ttl()
	switch {
	case n.Router.Tunnel:
	case ttl > 1, ttl == 1 && n.Router.ZeroTTL:
		f.p.setTTL(ttl - 1)
	default:
		w.expire(n, f, ordinal)
		return false
	}
	return true
}

// fits reports whether a packet fits the link that the node forwards it into.
func (w *walk) fits(n *node, f *flight, ordinal int) bool {
	r := &n.Router
	size := len(f.p.b)
	if f.p.largest > 0 {
		size = f.p.largest
	}
	if r.MTU == 0 || size <= r.MTU || !f.p.dontFragment() {
		w.note(n, Forwarded, "", f.at)
		return true
	}
	if r.BlackHole {
		w.note(n, Dropped, "black hole", f.at)
		return false
	}
	mtu := uint32(r.MTU)
	if r.TellMTU > 0 {
		mtu = uint32(r.TellMTU)
	}
	if r.HideMTU && !f.p.v6 {
		mtu = 0
	}
	w.fail(n, f, ordinal, fault{code: tooBig[version(f.p.v6)], rest: mtu, cause: "packet too big"})
	return false
}
