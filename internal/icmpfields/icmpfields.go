// Package icmpfields lists the fields of what ICMP messages bring, for JSON.
package icmpfields

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/fields"
)

// Error lists what is kept of the last ICMP error.
func Error(e *icmp.Error, o *fields.Object) {
	if o.Reading() {
		e.Reply = new(icmp.Reply)
	}
	r := e.Reply
	o.Addr("responder", &r.Source)
	Type(o, &r.Type, &r.Source)
	fields.Int(o, "code", &r.Code)
	fields.IntIf(o, "mtu", &r.MTU)
}

// Type is the number of a type, whose IP version is that of an address beside it;
// null where there was no ICMP message.
func Type(o *fields.Object, t *icmp.Type, beside *netip.Addr) {
	number := t.Number()
	if o.Number("type", &number, *t != 0) {
		*t = icmp.MakeType(icmp.VersionOf(*beside), number)
	}
}

// Label lists what a label stack has of a label.
func Label(l *icmp.MPLSLabel, o *fields.Object) {
	fields.Int(o, "label", &l.Label)
	fields.Int(o, "traffic_class", &l.TrafficClass)
	o.Bool("bottom_of_stack", &l.BottomOfStack)
	fields.Int(o, "ttl", &l.TTL)
}

// Interface lists what a router says of one of its interfaces; what it does not say is left
// out.
func Interface(i *icmp.InterfaceInfo, o *fields.Object) {
	fields.Word(o, "role", &i.Role)
	fields.IntIf(o, "index", &i.Index)
	o.AddrIf("address", &i.Address)
	if o.Has(i.Name != "") {
		o.Text("name", &i.Name)
	}
	fields.IntIf(o, "mtu", &i.MTU)
}

// ExtendedEcho lists what a host answers about one of its interfaces.
func ExtendedEcho(e *icmp.ExtendedEcho, o *fields.Object) {
	fields.Word(o, "state", &e.State)
	o.Bool("active", &e.Active)
	o.Bool("ipv4", &e.IPv4)
	o.Bool("ipv6", &e.IPv6)
}

// Timestamp lists the times of a timestamp reply.
func Timestamp(t *icmp.Timestamp, o *fields.Object) {
	fields.Int(o, "originate", &t.Originate)
	fields.Int(o, "receive", &t.Receive)
	fields.Int(o, "transmit", &t.Transmit)
}
