package netsim

import "net/netip"

// rewriteWords are the words for what a node changes in what it forwards.
func rewriteWords() words[Node] {
	r := func(n *Node) *Rewrite { return &n.Router.Rewrite }
	return words[Node]{
		"nat-source":           addressPairWord(func(n *Node) (v4, v6 *netip.Addr) { return &r(n).Source, &r(n).Source6 }),
		"nat-destination":      addressPairWord(func(n *Node) (v4, v6 *netip.Addr) { return &r(n).Destination, &r(n).Destination6 }),
		"nat-source-port":      numberWord(1, 65535, func(n *Node) *uint16 { return &r(n).SourcePort }),
		"nat-destination-port": numberWord(1, 65535, func(n *Node) *uint16 { return &r(n).DestinationPort }),
		"nat-id":               numberWord(1, 65535, func(n *Node) *uint16 { return &r(n).ID }),
		"nat-checksum":         numberWord(1, 65535, func(n *Node) *uint16 { return &r(n).Checksum }),
		"nat-ip-id":            numberWord(1, 65535, func(n *Node) *uint16 { return &r(n).IPID }),
		"nat-label":            numberWord(1, 0xfffff, func(n *Node) *uint32 { return &r(n).FlowLabel }),
		"nat-class": classWord(func(n *Node) (set *bool, class *uint8) {
			return &r(n).SetClass, &r(n).TrafficClass
		}),
		"nat-df":      flagWord(func(n *Node) *bool { return &r(n).ClearDF }),
		"nat-options": flagWord(func(n *Node) *bool { return &r(n).Options }),
		"nat-quotes":  flagWord(func(n *Node) *bool { return &r(n).RestoreQuote }),
		"nat-one-way": flagWord(func(n *Node) *bool { return &r(n).OneWay }),
	}
}

// addressPairWord is an address of either version, or one of each.
func addressPairWord(fields func(*Node) (v4, v6 *netip.Addr)) word[Node] {
	list := listWord(parseAddr, func(l *[]netip.Addr) *[]netip.Addr { return l })
	return word[Node]{value: true, read: func(n *Node, value string, when When) error {
		var addresses []netip.Addr
		if err := list.read(&addresses, value, when); err != nil {
			return err
		}
		v4, v6 := fields(n)
		*v4, *v6 = pick(addresses, false), pick(addresses, true)
		return nil
	}}
}

// classWord is a traffic class, which may be 0.
func classWord(fields func(*Node) (set *bool, class *uint8)) word[Node] {
	return word[Node]{value: true, read: func(n *Node, value string, _ When) error {
		set, class := fields(n)
		*set = true
		return readNumber(value, 0, 255, class)
	}}
}
