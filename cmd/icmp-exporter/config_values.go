package main

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// The values of the file know their line, for what is wrong with one may show
// only beside others. Line 0 is a value that was not given.
type (
	duration struct {
		time.Duration
		line int
	}
	number struct {
		int
		line int
	}
	mark struct {
		uint32
		line int
	}
	host struct {
		name string
		line int
	}
	address struct {
		netip.Addr
		line int
	}
	family struct {
		icmplib.Family
		both bool // each for itself
		line int
	}
	protocol struct {
		icmplib.Protocol
		line int
	}
	mode struct {
		socket.Mode
		line int
	}
	addresses struct {
		first bool
		line  int
	}
	boolean struct {
		yes  bool
		line int
	}
	ratio struct {
		float64
		line int
	}
	prefix struct {
		netip.Prefix
		line int
	}
)

// refuse says that a value cannot be used, and what can.
func refuse(n *yaml.Node, allowed string) error {
	return fmt.Errorf("line %d: %q cannot be used: allowed is %s", n.Line, n.Value, allowed)
}

func (d *duration) UnmarshalYAML(n *yaml.Node) (err error) {
	d.line = n.Line
	if d.Duration, err = time.ParseDuration(n.Value); err != nil || d.Duration <= 0 {
		return refuse(n, "a time with its unit, such as 500ms, 10s or 1m")
	}
	return nil
}

func (i *number) UnmarshalYAML(n *yaml.Node) (err error) {
	i.line = n.Line
	if i.int, err = strconv.Atoi(n.Value); err != nil || i.int < 0 || i.int > math.MaxInt32 {
		return refuse(n, "a whole number, 0 or more")
	}
	return nil
}

func (m *mark) UnmarshalYAML(n *yaml.Node) error {
	m.line = n.Line
	v, err := strconv.ParseUint(n.Value, 0, 32)
	if err != nil {
		return refuse(n, "a number of 32 bits, such as 7 or 0x7")
	}
	m.uint32 = uint32(v)
	return nil
}

func (h *host) UnmarshalYAML(n *yaml.Node) error {
	h.line, h.name = n.Line, n.Value
	if n.Kind != yaml.ScalarNode || n.Value == "" || !isPrintable(n.Value) {
		return refuse(n, "a name or an address")
	}
	return nil
}

// isPrintable reports whether text is harmless in a log and in a label.
func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// labels are those of the configuration's author.
type labels map[string]string

func (l *labels) UnmarshalYAML(n *yaml.Node) error {
	for i := 1; i < len(n.Content); i += 2 {
		if value := n.Content[i]; !isPrintable(value.Value) {
			return refuse(value, "text that fits on one line")
		}
	}
	return n.Decode((*map[string]string)(l))
}

func (a *address) UnmarshalYAML(n *yaml.Node) (err error) {
	a.line = n.Line
	if a.Addr, err = netip.ParseAddr(n.Value); err != nil {
		return refuse(n, "an IP address")
	}
	return nil
}

func (p *prefix) UnmarshalYAML(n *yaml.Node) (err error) {
	p.line = n.Line
	if p.Prefix, err = netip.ParsePrefix(n.Value); err == nil {
		return nil
	}
	addr, err := netip.ParseAddr(n.Value)
	if err != nil {
		return refuse(n, "a prefix such as 10.0.0.0/8 or 2001:db8::/32, or an address")
	}
	p.Prefix = netip.PrefixFrom(addr, addr.BitLen())
	return nil
}

func (f *family) UnmarshalYAML(n *yaml.Node) (err error) {
	f.line, f.both = n.Line, n.Value == "both"
	f.Family, err = oneOf(n, map[string]icmplib.Family{
		"any": icmplib.AnyFamily, "ipv4": icmplib.IPv4, "ipv6": icmplib.IPv6, "both": icmplib.AnyFamily,
	}, "any, ipv4, ipv6 or both")
	return err
}

// families returns which are probed, each for itself.
func (f *family) families() []icmplib.Family {
	if f.both {
		return []icmplib.Family{icmplib.IPv4, icmplib.IPv6}
	}
	return []icmplib.Family{f.Family}
}

func (p *protocol) UnmarshalYAML(n *yaml.Node) (err error) {
	p.line = n.Line
	if p.Protocol, err = icmplib.ParseProtocol(n.Value); err != nil {
		return refuse(n, "icmp, udp, tcp or sctp")
	}
	return nil
}

func (m *mode) UnmarshalYAML(n *yaml.Node) (err error) {
	m.line = n.Line
	m.Mode, err = oneOf(n, map[string]socket.Mode{
		"auto": socket.Auto, "datagram": socket.Datagram, "raw": socket.Raw,
	}, "auto, datagram or raw")
	return err
}

func (a *addresses) UnmarshalYAML(n *yaml.Node) (err error) {
	a.line = n.Line
	a.first, err = oneOf(n, map[string]bool{"all": false, "first": true}, "all or first")
	return err
}

func (b *boolean) UnmarshalYAML(n *yaml.Node) (err error) {
	b.line = n.Line
	b.yes, err = oneOf(n, map[string]bool{"true": true, "false": false}, "true or false")
	return err
}

func (r *ratio) UnmarshalYAML(n *yaml.Node) (err error) {
	r.line = n.Line
	text, percent := strings.CutSuffix(n.Value, "%")
	if r.float64, err = strconv.ParseFloat(text, 64); percent {
		r.float64 /= 100
	}
	if err != nil || !(r.float64 > 0 && r.float64 < 1) {
		return refuse(n, "a part such as 20% or 0.2, more than 0 and less than 1")
	}
	return nil
}

// oneOf reads a word.
func oneOf[T any](n *yaml.Node, words map[string]T, allowed string) (T, error) {
	v, ok := words[n.Value]
	if !ok {
		return v, refuse(n, allowed)
	}
	return v, nil
}
