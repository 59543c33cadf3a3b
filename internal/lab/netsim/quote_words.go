package netsim

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
)

var (
	errForm      = errors.New("the form of extensions is old, bad-checksum or no-checksum")
	errLabel     = errors.New("LABEL, LABEL/CLASS or LABEL/CLASS/TTL is expected")
	errInterface = errors.New("ROLE,INDEX,ADDRESS,NAME,MTU is expected, of which all but ROLE may be empty")
	errObject    = errors.New("CLASS/TYPE/HEX is expected, of at most 255 bytes")
	errRole      = errors.New("the role of an interface is in, sub, out or next")
)

// quoteWords are the words for how a node's errors look.
func quoteWords() words[Node] {
	return words[Node]{
		"quote":     {value: true, read: readQuote},
		"quote-ttl": {value: true, read: readQuoteTTL},
		"quote-class": classWord(func(n *Node) (set *bool, class *uint8) {
			return &n.Answer.Quote.SetClass, &n.Answer.Quote.TrafficClass
		}),
		"mpls":       {value: true, read: readMPLS},
		"interface":  {value: true, read: readInterface},
		"object":     {value: true, read: readObject},
		"extensions": {value: true, read: readForm},
	}
}

func readQuote(n *Node, value string, _ When) error {
	if value == "all" {
		n.Answer.Quote.Limit = false
		return nil
	}
	n.Answer.Quote.Limit = true
	return readNumber(value, 0, maxPacket, &n.Answer.Quote.Size)
}

func readQuoteTTL(n *Node, value string, _ When) error {
	n.Answer.Quote.SetTTL = true
	return readNumber(value, 0, 255, &n.Answer.Quote.TTL)
}

func readForm(n *Node, value string, _ When) error {
	forms := map[string]ExtensionForm{"old": Old, "bad-checksum": WrongChecksum, "no-checksum": NoChecksum}
	form, ok := forms[value]
	if !ok {
		return errForm
	}
	n.Answer.Ext.Form = form
	return nil
}

func (n *Node) addObject(o ExtensionObject) {
	n.Answer.Ext.Objects = append(n.Answer.Ext.Objects, o)
}

func readMPLS(n *Node, value string, _ When) error {
	var stack []Label
	for item := range strings.SplitSeq(value, ",") {
		l := Label{TTL: 1}
		parts := strings.Split(item, "/")
		if len(parts) > 3 || readNumber(parts[0], 0, 1<<20-1, &l.Label) != nil ||
			len(parts) > 1 && readNumber(parts[1], 0, 7, &l.TrafficClass) != nil ||
			len(parts) > 2 && readNumber(parts[2], 0, 255, &l.TTL) != nil {
			return errLabel
		}
		stack = append(stack, l)
	}
	n.addObject(MPLS(stack...))
	return nil
}

func readInterface(n *Node, value string, _ When) error {
	roles := map[string]uint8{"in": 0, "sub": 1, "out": 2, "next": 3}
	parts := strings.Split(value, ",")
	if len(parts) > 5 {
		return errInterface
	}
	parts = append(parts, "", "", "", "")
	role, ok := roles[parts[0]]
	if !ok {
		return errRole
	}
	i := InterfaceInfo{Role: role, Name: parts[3]}
	if parts[1] != "" && readNumber(parts[1], 1, 1<<31-1, &i.Index) != nil ||
		parts[4] != "" && readNumber(parts[4], 1, 1<<31-1, &i.MTU) != nil || len(i.Name) > 63 {
		return errInterface
	}
	if parts[2] != "" {
		a, err := netip.ParseAddr(parts[2])
		if err != nil || !usable(a) {
			return errBadAddress
		}
		i.Addr = a
	}
	n.addObject(i.Object())
	return nil
}

func readObject(n *Node, value string, _ When) error {
	var o ExtensionObject
	parts := strings.Split(value, "/")
	if len(parts) != 3 || readNumber(parts[0], 0, 255, &o.Class) != nil || readNumber(parts[1], 0, 255, &o.CType) != nil {
		return errObject
	}
	payload, err := hex.DecodeString(parts[2])
	if err != nil || len(payload) > 255 {
		return errObject
	}
	o.Payload = payload
	n.addObject(o)
	return nil
}
