package agent

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// measure does what a question asks for, and hands out each result as it is known.
func (a *Agent) measure(ctx context.Context, ask *wire.Ask, send func(kind string, body []byte) error) error {
	prober, rules := a.gate.current()
	ctx, cancel := longest(ctx, rules.Longest())
	defer cancel()
	addr, err := allowedTarget(ctx, prober, rules, ask.Target, ask.Measure)
	if refusal := (*policy.Refusal)(nil); errors.As(err, &refusal) && ask.Measure.Protocol == "icmp" && a.isPeer(addr) {
		err = rules.Peer(addr) // as the mesh does: mesh explain traces it
	}
	if err != nil {
		return err
	}
	m := measurement{prober: prober, name: ask.Target, target: addr, Measure: ask.Measure, send: send}
	if m.packet, err = ask.Measure.Packet(); err != nil {
		return err
	}
	switch ask.Measure.Kind {
	case "ping":
		return m.ping(ctx)
	case "traceroute":
		return m.traceroute(ctx)
	case "mtr":
		return m.monitor(ctx)
	}
	return m.mtu(ctx)
}

// isPeer reports whether an address is that of an agent that this one pings in the mesh.
func (a *Agent) isPeer(addr netip.Addr) bool {
	fleet := a.fleet.Load()
	return fleet != nil && !fleet.Mesh.Off && addr.IsValid() &&
		slices.ContainsFunc(fleet.Peers(a.name), func(m wire.Member) bool { return m.Address == addr })
}

// allowedTarget resolves a target and asks the policy about its address, to which the
// probes then go: a name that is resolved again might lead elsewhere.
func allowedTarget(ctx context.Context, prober *icmplib.Prober, rules policy.Policy, target string, m wire.Measure) (netip.Addr, error) {
	if err := rules.Protocol(m.Protocol); err != nil {
		return netip.Addr{}, err
	}
	addrs, err := prober.Resolve(ctx, target, icmplib.Family(m.Family))
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0], rules.Target(addrs[0])
}

// measurement is one that runs.
type measurement struct {
	wire.Measure
	prober *icmplib.Prober
	name   string
	target netip.Addr
	packet icmplib.Packet
	send   func(kind string, body []byte) error
}

// jsonAppender is what the library's results are.
type jsonAppender interface {
	AppendJSON([]byte) ([]byte, error)
}

func (m *measurement) answer(kind string, v jsonAppender) error {
	body, err := v.AppendJSON(nil)
	if err != nil {
		return err
	}
	return m.send(kind, body)
}

func (m *measurement) ping(ctx context.Context) error {
	host := &icmplib.Host{Name: m.name, Address: m.target}
	opts := &icmplib.PingOptions{Count: m.Count, Interval: time.Duration(m.Interval), Timeout: time.Duration(m.Timeout), Packet: m.packet}
	for result, err := range m.prober.PingSeq(ctx, m.target.String(), opts) {
		if err != nil {
			return err
		}
		host.Add(result)
		if err := m.answer(wire.KindResult, &result); err != nil {
			return err
		}
	}
	return m.answer(wire.KindHost, host)
}

func (m *measurement) traceroute(ctx context.Context) error {
	route := &icmplib.Route{Name: m.name, Address: m.target}
	opts := &icmplib.TracerouteOptions{Count: m.Count, Interval: time.Duration(m.Interval), Timeout: time.Duration(m.Timeout),
		MaxHops: m.MaxHops, Packet: m.packet}
	for hop, err := range m.prober.TracerouteSeq(ctx, m.target.String(), opts) {
		if err != nil {
			return err
		}
		route.Hops = append(route.Hops, *hop)
		if err := m.answer(wire.KindHop, hop); err != nil {
			return err
		}
	}
	if len(route.Hops) > 0 {
		route.End = route.Hops[len(route.Hops)-1].End
		route.Reached = route.End == icmplib.EndReached
	}
	return m.answer(wire.KindRoute, route)
}

func (m *measurement) monitor(ctx context.Context) error {
	opts := &icmplib.MonitorOptions{Rounds: m.Count, Interval: time.Duration(m.Interval), Timeout: time.Duration(m.Timeout),
		MaxHops: m.MaxHops, Packet: m.packet}
	for snapshot, err := range m.prober.Monitor(ctx, m.target.String(), opts) {
		if err != nil {
			return err
		}
		snapshot.Name = m.name
		if err := m.answer(wire.KindSnapshot, snapshot); err != nil {
			return err
		}
	}
	return nil
}

func (m *measurement) mtu(ctx context.Context) error {
	report, err := m.prober.PathMTU(ctx, m.target.String(), &icmplib.PathMTUOptions{Count: m.Count,
		Interval: time.Duration(m.Interval), Timeout: time.Duration(m.Timeout), MaxHops: m.MaxHops, Packet: m.packet})
	if err != nil {
		return err
	}
	report.Name = m.name
	return m.answer(wire.KindMTU, report)
}
