package icmplib

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// A Prober that nobody made says so, in every operation.
func TestAProberThatWasNotMadeSaysSo(t *testing.T) {
	var p Prober
	const target = "127.0.0.1"
	ctx := t.Context()
	errs := map[string]error{"Close": p.Close()}
	_, errs["Ping"] = p.Ping(ctx, target, nil)
	_, errs["Traceroute"] = p.Traceroute(ctx, target, nil)
	_, errs["Traceroute with flows"] = p.Traceroute(ctx, target, &TracerouteOptions{Flows: 2})
	_, errs["PathMTU"] = p.PathMTU(ctx, target, nil)
	_, errs["ExplainLoss"] = p.ExplainLoss(ctx, target, nil)
	_, errs["Probe"] = p.Probe(ctx, netip.MustParseAddr(target), nil)
	for _, err := range p.Monitor(ctx, target, nil) {
		errs["Monitor"] = err
	}
	hosts, err := p.MultiPing(ctx, []string{target}, nil)
	if errs["MultiPing"] = err; err == nil && len(hosts) == 1 {
		errs["MultiPing"] = hosts[0].Err
	}
	for route, err := range p.MultiTracerouteSeq(ctx, slices.Values([]string{target}), nil) {
		if errs["MultiTraceroute"] = err; err == nil {
			errs["MultiTraceroute"] = route.Err
		}
	}
	for _, err := range p.MultiPingSeq(ctx, slices.Values([]string{target}), nil) {
		errs["MultiPingSeq"] = err
	}
	_ = p.Counters() // nothing was counted
	for name, err := range errs {
		if !errors.Is(err, errNotMade) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
