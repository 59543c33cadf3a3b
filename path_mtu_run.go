package icmplib

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/pmtu"
)

// mtuRun finds the MTU of a path: a task of the driver.
type mtuRun struct {
	*pmtu.Plan
	p         *Prober
	pool      *engine.Pool
	datagrams *engine.Pool // for probes of flow 1; nil: there are none
	dst       netip.Addr
	name      string
	opts      PathMTUOptions
	driver    *drive.Driver
	lines     map[mtuShape]*drive.Line
	failed    error // why the search cannot go on
}

// mtuShape is what probes have in common that leave by one line.
type mtuShape struct {
	size      int
	datagrams bool
}

// newPathMTU does all that can fail before anything is sent.
func (p *Prober) newPathMTU(ctx context.Context, target string, o *PathMTUOptions) (*mtuRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	if err := opts.validateFor(dst); err != nil {
		return nil, err
	}
	return &mtuRun{p: p, pool: pool, dst: dst, name: target, opts: opts, lines: map[mtuShape]*drive.Line{}}, nil
}

// find searches until all is known or ctx ends.
func (r *mtuRun) find(ctx context.Context) error {
	cfg := pmtu.Config{
		Least: leastMTU(r.dst), Largest: r.opts.MaxMTU, MaxHops: r.opts.MaxHops, Count: r.opts.Count,
		Interval: r.opts.Interval, Timeout: r.opts.Timeout,
		TooBig: func(err error) bool { return errors.Is(err, syscall.EMSGSIZE) },
		Guess:  r.interfaceMTU,
	}
	if r.opts.Packet.Protocol == ICMP {
		cfg.Datagrams = r.useDatagrams
	}
	r.Plan = pmtu.New(cfg)
	r.driver = r.p.driver(drive.Config{Rules: drive.Rules{Timeout: r.opts.Timeout, Ends: isConfigError}})
	defer r.driver.Close()
	r.driver.Add(r)
	if err := r.driver.Run(ctx); err != nil {
		return err
	}
	return cmp.Or(r.failed, r.Err())
}

// useDatagrams opens the sockets for datagrams, and reports whether it could.
func (r *mtuRun) useDatagrams() bool {
	packet := r.opts.Packet
	packet.Protocol = UDP
	pool, err := r.p.poolFor(&packet, r.dst)
	if err == nil {
		r.datagrams = pool
	}
	return err == nil
}

// Headers in front of the payload of an echo request or a datagram.
const (
	mtuHeaders4 = 20 + 8
	mtuHeaders6 = 40 + 8
)

// Line returns what the probes of a size leave by.
func (r *mtuRun) Line(p *plan.Probe) (*drive.Line, error) {
	shape := mtuShape{size: cmp.Or(p.Size, leastMTU(r.dst)), datagrams: p.Flow == 1}
	if line := r.lines[shape]; line != nil {
		return line, nil
	}
	packet, pool := r.opts.Packet, r.pool
	if packet.Size = shape.size - mtuHeaders4; r.dst.Is6() {
		packet.Size = shape.size - mtuHeaders6
	}
	if shape.datagrams {
		packet.Protocol, pool = UDP, r.datagrams
	}
	cfg := r.p.opConfig(&packet, r.opts.Timeout, r.dst)
	cfg.Unclear = true
	line := &drive.Line{Pool: pool, Op: r.driver.NewOp(cfg), Dst: r.dst, Flow: packet.flow()}
	r.lines[shape] = line
	return line, nil
}

// Heard has the plan know what became of a probe.
func (r *mtuRun) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		r.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	protocol := r.opts.Packet.Protocol
	if r.IsDatagram(k) {
		protocol = UDP
	}
	result := r.p.outcome(o, r.dst, protocol)
	seen := observation(k, &result, o.Fate.Settles())
	r.Observe(now, &seen)
}

// HasNews reports false: the report is handed out at the end.
func (r *mtuRun) HasNews() bool { return false }

// Hand is not called.
func (r *mtuRun) Hand() (goOn bool) { return true }

// End keeps why the search cannot go on.
func (r *mtuRun) End(err error) (goOn bool) {
	r.failed = err
	return true
}

// report returns what is known.
func (r *mtuRun) report() *MTUReport {
	m := &MTUReport{
		Address: r.dst, Name: r.name, MTU: r.MTU, Reached: r.Reached, Confirmed: r.Confirmed, Exact: r.Exact, LocalMTU: r.LocalMTU,
	}
	for _, h := range r.Hops {
		m.Hops = append(m.Hops, HopMTU{Distance: h.Distance, Address: h.Address, MTU: h.MTU, Source: MTUSource(h.Source), ReportedBy: h.ReportedBy})
	}
	for _, h := range r.Holes {
		m.BlackHoles = append(m.BlackHoles, BlackHole(h))
	}
	return m
}

// interfaceMTU guesses the MTU of the interface that leads to the target; 0
// where that is not to be seen.
func (r *mtuRun) interfaceMTU() int {
	key, err := r.opts.Packet.key(&r.p.cfg, r.dst)
	if err != nil || r.p.other != nil {
		return 0
	}
	if key.Interface != "" {
		if i, err := net.InterfaceByName(key.Interface); err == nil {
			return i.MTU
		}
		return 0
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.dst, 9))) // it sends nothing
	if err != nil {
		return 0
	}
	defer c.Close()
	local, _ := c.LocalAddr().(*net.UDPAddr)
	interfaces, err := net.Interfaces()
	if err != nil || local == nil {
		return 0
	}
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(local.IP) {
				return i.MTU
			}
		}
	}
	return 0
}
