package netsim

import (
	"maps"
	"net/netip"
	"strconv"
	"time"
)

// nodeWords are the words of a node's line.
var nodeWords = merge(linkWords(), faultWords("", func(n *Node) *Faults { return &n.Forward }),
	faultWords("back-", func(n *Node) *Faults { return &n.Back }),
	faultWords("answer-", func(n *Node) *Faults { return &n.Answer.Faults }),
	routerWords(), rewriteWords(), hostWords(), answerWords(), quoteWords())

var spoofWords = words[Spoof]{
	"on":      whenWord(func(s *Spoof) *When { return &s.When }),
	"from":    addressesWord(func(s *Spoof) *[]netip.Addr { return &s.From }),
	"delay":   durationWord(func(s *Spoof) *time.Duration { return &s.Delay }),
	"guesses": numberWord(1, 1000, func(s *Spoof) *int { return &s.Guesses }),
	"spread":  numberWord(0, 32767, func(s *Spoof) *int { return &s.Spread }),
	"ttl":     numberWord(1, 255, func(s *Spoof) *int { return &s.TTL }),
	"blind":   flagWord(func(s *Spoof) *bool { return &s.Blind }),
}

var noiseWords = words[Noise]{
	"rate":    rateWord(func(n *Noise) *float64 { return &n.Rate }),
	"from":    addressesWord(func(n *Noise) *[]netip.Addr { return &n.From }),
	"options": flagWord(func(n *Noise) *bool { return &n.Options }),
}

func merge(all ...words[Node]) words[Node] {
	merged := words[Node]{}
	for _, some := range all {
		maps.Copy(merged, some)
	}
	return merged
}

func rateWord[T any](field func(*T) *float64) word[T] {
	return word[T]{value: true, read: func(to *T, value string, _ When) error {
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || !(rate > 0 && rate <= 1e9) {
			return errNoise
		}
		*field(to) = rate
		return nil
	}}
}

func linkWords() words[Node] {
	return words[Node]{
		"delay":      durationsWord(func(n *Node) *[]time.Duration { return &n.Delay }),
		"back-mtu":   numberWord(68, maxPacket, func(n *Node) *int { return &n.BackMTU }),
		"back-delay": durationsWord(func(n *Node) *[]time.Duration { return &n.BackDelay }),
		"jitter":     durationWord(func(n *Node) *time.Duration { return &n.Jitter }),
	}
}

// faultWords are the same for three sets of faults.
func faultWords(prefix string, of func(*Node) *Faults) words[Node] {
	return words[Node]{
		prefix + "lose":    whenWord(func(n *Node) *When { return &of(n).Lose }),
		prefix + "corrupt": whenWord(func(n *Node) *When { return &of(n).Corrupt }),
		prefix + "duplicate": numberWord(1, 1000, func(n *Node) *int { return &of(n).Copies }).optional().
			limitedTo(func(n *Node) *When { return &of(n).Duplicate }),
		prefix + "late": durationWord(func(n *Node) *time.Duration { return &of(n).LateBy }).
			limitedTo(func(n *Node) *When { return &of(n).Late }),
		prefix + "alter": numberWord(0, maxPacket, func(n *Node) *int { return &of(n).AlterAt }).optional().
			limitedTo(func(n *Node) *When { return &of(n).Alter }),
	}
}

func routerWords() words[Node] {
	return words[Node]{
		"tunnel":     flagWord(func(n *Node) *bool { return &n.Router.Tunnel }),
		"zero-ttl":   flagWord(func(n *Node) *bool { return &n.Router.ZeroTTL }),
		"mtu":        numberWord(68, maxPacket, func(n *Node) *int { return &n.Router.MTU }),
		"black-hole": flagWord(func(n *Node) *bool { return &n.Router.BlackHole }),
		"hide-mtu":   flagWord(func(n *Node) *bool { return &n.Router.HideMTU }),
		"tell-mtu":   numberWord(1, maxPacket, func(n *Node) *int { return &n.Router.TellMTU }),
		"refuse":     refusalWord(false),
		"warn":       refusalWord(true),
	}
}

func hostWords() words[Node] {
	return words[Node]{
		"deaf":     whenWord(func(n *Node) *When { return &n.Host.Deaf }),
		"udp":      portsWord(func(n *Node) *[]uint16 { return &n.Host.UDP }),
		"udp-echo": portsWord(func(n *Node) *[]uint16 { return &n.Host.UDPEcho }),
		"dns":      portsWord(func(n *Node) *[]uint16 { return &n.Host.DNS }),
		"ntp":      portsWord(func(n *Node) *[]uint16 { return &n.Host.NTP }),
		"quic":     portsWord(func(n *Node) *[]uint16 { return &n.Host.QUIC }),
		"tcp":      portsWord(func(n *Node) *[]uint16 { return &n.Host.TCP }),
		"sctp":     portsWord(func(n *Node) *[]uint16 { return &n.Host.SCTP }),
		"id":       shiftWord(func(n *Node) *Shift { return &n.Host.IDShift }),
		"sequence": shiftWord(func(n *Node) *Shift { return &n.Host.SeqShift }),
	}
}

// shiftWord is a number with a sign, or one without that is absolute.
func shiftWord(field func(*Node) *Shift) word[Node] {
	return word[Node]{value: true, when: true, read: func(n *Node, value string, when When) error {
		s := field(n)
		*s = Shift{When: when, Absolute: value[0] != '+' && value[0] != '-'}
		return readNumber(value, -65535, 65535, &s.By)
	}}
}

func answerWords() words[Node] {
	return words[Node]{
		"silent": whenWord(func(n *Node) *When { return &n.Answer.Silent }),
		"from": addressesWord(func(n *Node) *[]netip.Addr { return &n.Answer.From }).
			limitedTo(func(n *Node) *When { return &n.Answer.FromWhen }),
		"ttl":       numberWord(1, 255, func(n *Node) *int { return &n.Answer.TTL }),
		"back-hops": numberWord(0, 255, func(n *Node) *int { return &n.Answer.BackHops }),
		"rate":      rateWord(func(n *Node) *float64 { return &n.Answer.Rate }),
		"burst":     numberWord(1, 1<<20, func(n *Node) *int { return &n.Answer.Burst }),
		"cut": numberWord(0, maxPacket, func(n *Node) *int { return &n.Answer.Cut }).
			limitedTo(func(n *Node) *When { return &n.Answer.CutWhen }),
		"options": flagWord(func(n *Node) *bool { return &n.Answer.Options }),
	}
}
