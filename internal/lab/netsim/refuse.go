package netsim

import "net/netip"

// refuse sends the errors that the node was told to send, and tells whether
// that ended the packet.
func (w *walk) refuse(n *node, f *flight, ordinal int) bool {
	for i := range n.Router.Refusals {
		r := &n.Router.Refusals[i]
		code := r.V4
		if f.p.v6 {
			code = r.V6
		}
		if code == (Code{}) || !r.When.covers(&f.p, ordinal, n.random) {
			continue
		}
		w.fail(n, f, ordinal, r.fault(f.p.v6, code))
		if !r.Forwards {
			return true
		}
	}
	return false
}

func (r *Refusal) fault(v6 bool, code Code) fault {
	e := fault{code: code, cause: r.cause(v6, code)}
	gateway := pick(r.Gateways, v6)
	switch {
	case v6 && code.Type == redirect6:
		e.gateway = gateway
		if !gateway.IsValid() {
			e.gateway = netip.IPv6Unspecified()
		}
	case v6 && code.Type == 4: // the pointer is a whole word (RFC 4443 section 3.4)
		e.rest = uint32(r.Pointer)
	case !v6 && code.Type == redirect4 && gateway.IsValid():
		b := gateway.As4()
		e.rest = get32(b[:])
	case !v6 && code.Type == 12:
		e.rest = uint32(r.Pointer) << 24
	}
	return e
}

func (r *Refusal) cause(v6 bool, code Code) string {
	switch {
	case code.Type == redirect4 && !v6, code.Type == redirect6:
		return "redirect"
	case code.Type == 4 && !v6:
		return "source quench"
	case code.Type == 3 && !v6, code.Type == 1:
		return "destination unreachable"
	case code.Type == 12, code.Type == 4:
		return "parameter problem"
	}
	return "refused"
}
