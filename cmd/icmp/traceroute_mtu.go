package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

// mtuFlag is --mtu: to find the MTU of each hop, and of the path, in place of
// the round-trip times.
type mtuFlag struct{ mtu bool }

// check refuses what a search for MTUs does not do.
func (m *mtuFlag) check(f *tracerouteFlags) error {
	for _, flag := range []string{"size", "first-hop", "fast", "gap", "csv", "nat", "loss", "flows", "dot", "svg"} {
		if f.given(flag) {
			return fmt.Errorf("--mtu and --%s exclude each other: one of them is allowed", flag)
		}
	}
	if f.asks() {
		return errors.New("--mtu and --service exclude each other: a service sets the size of its message")
	}
	if f.protocol == "tcp" || f.protocol == "sctp" {
		return fmt.Errorf("--mtu with %s: icmp or udp is allowed, because the others carry no data", f.protocol)
	}
	return nil
}

// run finds the MTU of a path and reports it.
func (m *mtuFlag) run(ctx context.Context, term terminal, target string, f *tracerouteFlags) error {
	trace, cfg, err := f.options()
	if err != nil {
		return err
	}
	if err := m.check(f); err != nil {
		return err
	}
	prober, stop, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer stop()
	packet := trace.Packet
	packet.Size = 0
	status, term := newStatus(term)
	status.follow(func(elapsed time.Duration) string { return "looking for the path MTU for " + seconds(elapsed) })
	path, err := prober.PathMTU(ctx, target, &icmplib.PathMTUOptions{
		Count: trace.Count, Interval: trace.Interval, Timeout: trace.Timeout,
		MaxHops: trace.MaxHops, Family: trace.Family, Packet: packet,
	})
	status.end()
	err = f.explain(unlessInterrupted(err))
	if path == nil {
		path = &icmplib.MTUReport{Name: target}
	}
	if f.json {
		(&jsonWriter{out: term.out}).write(path, jsonError(err))
	} else if err == nil {
		var names *nameCache
		if !f.numeric {
			names = newNameCache()
		}
		fmt.Fprint(term.out, describePathMTU(path, names))
	}
	return routeVerdict(&icmplib.Route{Reached: path.Reached}, err)
}

// describePathMTU writes the hops, with an MTU where that falls, and what is
// known of the whole path.
func describePathMTU(p *icmplib.MTUReport, names *nameCache) string {
	route := &icmplib.Route{Address: p.Address, Name: p.Name}
	text := &textRoute{names: names}
	if names != nil {
		for _, h := range p.Hops {
			if h.Address.IsValid() {
				names.ask(h.Address)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "path MTU to %s", routeName(route))
	if p.LocalMTU > 0 {
		fmt.Fprintf(&b, ", the first link takes %d bytes", p.LocalMTU)
	}
	b.WriteByte('\n')
	last := p.LocalMTU
	for _, h := range p.Hops {
		who := "*"
		if h.Address.IsValid() {
			who = text.display(route, h.Address)
		}
		fmt.Fprintf(&b, "%3d %s", h.Distance, who)
		if h.MTU > 0 && (h.MTU != last || h.Source != icmplib.MTUKept) {
			fmt.Fprintf(&b, "  mtu %d%s", h.MTU, mark(h.Source == icmplib.MTUMeasured, " (measured)"))
			last = h.MTU
		}
		b.WriteByte('\n')
	}
	for _, hole := range p.BlackHoles {
		switch {
		case hole.Replies:
			fmt.Fprintf(&b, "replies: packets reach the target, but only replies of up to %d bytes come back\n", hole.Passes)
		case hole.Unsure:
			fmt.Fprintf(&b, "black hole: between distance %d and %d packets of %d bytes get through; larger ones, or the replies to them, vanish\n", hole.After, hole.Before, hole.Passes)
		default:
			fmt.Fprintf(&b, "black hole: between distance %d and %d packets of %d bytes get through; larger ones vanish\n", hole.After, hole.Before, hole.Passes)
		}
	}
	return b.String() + describeMTU(p) + "\n"
}

// describeMTU says in a sentence what is known of a path.
func describeMTU(p *icmplib.MTUReport) string {
	by := "the target"
	if !p.Reached {
		by = "the farthest router (the target is silent)"
	}
	switch {
	case p.MTU == 0:
		return "path MTU unknown: only the smallest size was sent, or no answer came in time"
	case p.Confirmed && p.Exact:
		return fmt.Sprintf("path MTU %d: %s answers packets of this size; larger ones do not get there", p.MTU, by)
	case p.Confirmed:
		return fmt.Sprintf("path MTU %d or more: %s answers packets of this size", p.MTU, by)
	}
	return fmt.Sprintf("path MTU %d or less: nothing shows whether packets of this size get there", p.MTU)
}
