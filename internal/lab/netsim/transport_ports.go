package netsim

import "github.com/goicmp/icmplib/icmp"

// port is a port of the client's that a connection holds.
type port struct {
	version  icmp.Version
	protocol icmp.Protocol
	number   uint16
}

// claim takes a connection's source ports, of which none may be in use. Where
// it is to choose, the first is found out by trying.
func (n *Network) claim(c *TransportConn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.first != 0 {
		return n.hold(c)
	}
	for i := range uint64(ephemerals) {
		c.first = uint16(firstEphemeral + (mix(n.listened+1)+i)%uint64(ephemerals))
		if int(c.first)+c.count <= firstEphemeral+ephemerals && n.hold(c) {
			return true
		}
	}
	return false
}

// hold takes the ports from the first on, all of them or none.
func (n *Network) hold(c *TransportConn) bool {
	for i := range c.count {
		if n.held[port{c.version, c.protocol, c.first + uint16(i)}] {
			return false
		}
	}
	if n.held == nil {
		n.held = map[port]bool{}
	}
	for i := range c.count {
		n.held[port{c.version, c.protocol, c.first + uint16(i)}] = true
	}
	return true
}

// release gives back what a connection holds.
func (n *Network) release(c *TransportConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.connects() {
		return
	}
	for i := range c.count {
		delete(n.held, port{c.version, c.protocol, c.first + uint16(i)})
	}
}
