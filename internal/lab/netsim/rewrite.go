package netsim

import "net/netip"

// rewrite changes a packet as the node was told to, and remembers how to
// translate the answers back.
func (w *walk) rewrite(n *node, f *flight) {
	r := &n.Router.Rewrite
	if *r == (Rewrite{}) {
		return
	}
	p := &f.p
	before, good := p.identity(), p.verify()
	r.changeHeader(p)
	if t := p.transport(); p.hasPorts() && len(t) >= 4 {
		replace(t, r.SourcePort)
		replace(t[2:], r.DestinationPort)
	} else if before.echo {
		replace(t[4:], r.ID)
	}
	if good {
		p.seal()
	}
	if field := p.checksumField(); r.Checksum != 0 && len(field) == 2 {
		put16(field, r.Checksum)
		p.vouched = true
	}
	f.to = p.destination()
	if !r.OneWay {
		w.trail[len(w.trail)-1].undo = undo{on: true, quotes: r.RestoreQuote, before: before, after: p.identity()}
	}
	w.note(n, Altered, "rewritten", f.at)
}

// changeHeader changes the IP header.
func (r *Rewrite) changeHeader(p *packet) {
	source, destination := r.Source, r.Destination
	if p.v6 {
		source, destination = r.Source6, r.Destination6
		if r.FlowLabel != 0 {
			put32(p.b, get32(p.b)&^0xfffff|r.FlowLabel&0xfffff)
		}
	} else {
		if r.ClearDF {
			p.b[6] &^= 0x40
		}
		replace(p.b[4:], r.IPID)
	}
	if source.IsValid() {
		p.setSource(source)
	}
	if destination.IsValid() {
		p.setDestination(destination)
	}
	if r.SetClass {
		p.setTrafficClass(r.TrafficClass)
	}
	if r.Options {
		p.addOptions()
	}
	p.fixHeader()
}

// replace writes v unless it is 0.
func replace(field []byte, v uint16) {
	if v != 0 {
		put16(field, v)
	}
}

// forClient reports whether an address is the client's: one that the network
// knows, or the one that it sent from.
func (w *walk) forClient(a netip.Addr) bool {
	for _, own := range w.n.all {
		if a == own {
			return true
		}
	}
	return a == w.from
}
