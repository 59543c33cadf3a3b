package netsim

import "net/netip"

// InterfaceInfo is what an interface information object may show (RFC 5837
// section 4.1). Zero fields are left out.
type InterfaceInfo struct {
	Role  uint8 // 0 incoming, 1 part of it, 2 outgoing, 3 next hop
	Index uint32
	Addr  netip.Addr
	Name  string // at most 63 bytes
	MTU   uint32
}

// Object returns the object that shows it.
func (i *InterfaceInfo) Object() ExtensionObject {
	o := ExtensionObject{Class: 2, CType: i.Role << 6}
	if i.Index != 0 {
		o.CType |= 8
		o.Payload = append32(o.Payload, i.Index)
	}
	if i.Addr.IsValid() {
		o.CType |= 4
		afi := byte(1)
		if i.Addr.Is6() {
			afi = 2
		}
		o.Payload = append(o.Payload, 0, afi, 0, 0)
		o.Payload = append(o.Payload, i.Addr.AsSlice()...)
	}
	if i.Name != "" {
		o.CType |= 2
		size := (1 + len(i.Name) + 3) / 4 * 4
		name := make([]byte, size)
		name[0] = byte(size)
		copy(name[1:], i.Name)
		o.Payload = append(o.Payload, name...)
	}
	if i.MTU != 0 {
		o.CType |= 1
		o.Payload = append32(o.Payload, i.MTU)
	}
	return o
}

func append32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
