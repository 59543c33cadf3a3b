package icmplib

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each file in testdata/mtu is a network and what is found of its MTUs. It is
// run with each protocol that has a payload and each kind of socket.
func TestPathMTUInSimulatedNetworks(t *testing.T) {
	t.Parallel()
	for _, s := range loadScenarios(t, "testdata/mtu/*.net") {
		for _, v := range mtuVariants {
			if s.suits(v) {
				t.Run(s.name+"/"+v.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { s.pathMTU(t, v) })
				})
			}
		}
	}
}

var mtuVariants = []variant{{ICMP, false}, {ICMP, true}, {UDP, false}, {UDP, true}}

func (s *scenario) pathMTU(t *testing.T, v variant) {
	n := s.network(t)
	p := simProber(t, n, v.datagram)
	defer p.Close()
	start := time.Now()
	m, err := p.PathMTU(t.Context(), s.command.words[1], s.command.mtuOptions(t, v))
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	want := s.wantedOf(v)
	for name, value := range want {
		if name == "within" {
			if most, err := time.ParseDuration(value); err != nil || took > most {
				t.Errorf("it took %v, want at most %s", took, value)
			}
			continue
		}
		if got := mtuFigure(m, name); got != value {
			t.Errorf("%s is %s, want %s", name, got, value)
		}
	}
	for _, r := range n.Log() {
		if !r.DontFragment && r.Source.Is4() {
			t.Fatalf("a packet may be fragmented: %+v", r)
		}
	}
	if t.Failed() {
		t.Logf("%+v in %v by %d packets", m, took, len(n.Log()))
	}
}

func (d *directive) mtuOptions(t *testing.T, v variant) *PathMTUOptions {
	t.Helper()
	return &PathMTUOptions{
		Count:   d.number(t, "count", 0),
		Timeout: d.duration(t, "timeout", 0),
		MaxHops: d.number(t, "hops", 0),
		MaxMTU:  d.number(t, "max", 0),
		Packet:  Packet{Protocol: v.protocol},
	}
}

// mtuFigure names a figure of a path, some of them one for each hop.
func mtuFigure(m *MTUReport, name string) string {
	switch name {
	case "mtu":
		return strconv.Itoa(m.MTU)
	case "reached":
		return strconv.FormatBool(m.Reached)
	case "confirmed":
		return strconv.FormatBool(m.Confirmed)
	case "exact":
		return strconv.FormatBool(m.Exact)
	case "holes":
		var holes []string
		for _, h := range m.BlackHoles {
			way := map[bool]string{h.Replies: "replies", h.Unsure: "unsure"}[true]
			holes = append(holes, way+fmt.Sprintf("%d-%d:%d<%d", h.After, h.Before, h.Passes, h.Fails))
		}
		return strings.Join(holes, ",")
	}
	values := make([]string, len(m.Hops))
	for i := range m.Hops {
		switch h := &m.Hops[i]; name {
		case "hops":
			values[i] = strconv.Itoa(h.MTU)
		case "sources":
			values[i] = h.Source.String()
		case "addresses":
			values[i] = wordOr(h.Address, "*")
		case "by":
			values[i] = wordOr(h.ReportedBy, "-")
		default:
			values[i] = "no figure of this name"
		}
	}
	return strings.Join(values, ",")
}

// wordOr returns the text of an address, and another word where there is none.
func wordOr(a netip.Addr, none string) string {
	if a.IsValid() {
		return a.String()
	}
	return none
}
