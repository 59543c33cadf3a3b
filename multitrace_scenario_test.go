package icmplib

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A trace that shares its loop with others finds what it finds alone: each
// scenario of a single trace, but where the network has a choice for each packet,
// and the order of the packets is what decides.
func TestMultiTracerouteFindsWhatTracerouteDoes(t *testing.T) {
	t.Parallel()
	for _, s := range loadScenarios(t, "testdata/trace/*.net") {
		for _, v := range traceVariants {
			if s.suits(v) && !strings.Contains(s.text, "random(") && !strings.Contains(s.text, "turn(") {
				t.Run(s.name+"/"+v.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { s.multitrace(t, v) })
				})
			}
		}
	}
}

func (s *scenario) multitrace(t *testing.T, v variant) {
	p := simProber(t, s.network(t), v.datagram)
	defer p.Close()
	opts := &MultiTracerouteOptions{TracerouteOptions: *s.command.traceOptions(t)}
	opts.Packet.Protocol = v.protocol
	target := s.command.words[1]
	routes, err := p.MultiTraceroute(t.Context(), []string{target}, opts)
	if err != nil || routes[0].Err != nil {
		t.Fatal(err, routes[0].Err)
	}
	s.compare(t, v, routes[0], time.Duration(0))
}
