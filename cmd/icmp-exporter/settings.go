package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

// settings is what a configuration comes to: every value in its place.
type settings struct {
	shape   shape
	jobs    []job
	probing *probing
}

// mostTargets bounds how many hosts one exporter probes: beyond, its metrics are more
// than one scrape should have.
const mostTargets = 50_000

// shape is what cannot change while probes run: where it differs, everything
// begins anew.
type shape struct {
	prober  icmplib.Config
	buckets []float64
}

const (
	defaultInterval        = time.Second
	defaultTimeout         = 2 * time.Second
	defaultLoss            = 0.2
	defaultResolveInterval = time.Minute
	leastInterval          = 10 * time.Millisecond
	leastResolveInterval   = time.Second
)

// settings fills in the defaults and refuses what cannot be done.
func (c *config) settings(files *hostFiles) (*settings, error) {
	if len(c.Targets) == 0 && len(c.Modules) == 0 {
		return nil, errors.New("there are no targets: add targets: with hosts: or files: below it, or modules: for /probe")
	}
	s := &settings{}
	s.shape.prober = c.Prober.config()
	var err error
	if s.shape.buckets, err = checkBuckets(c.ClassicBuckets); err != nil {
		return nil, err
	}
	if r := c.ResolveInterval; r.line != 0 && r.Duration < leastResolveInterval {
		return nil, fmt.Errorf("line %d: a resolve_interval of %v is too short: allowed is %v or more", r.line, r.Duration, leastResolveInterval)
	}
	if r := c.FilesInterval; r.line != 0 && r.Duration < leastFilesRefresh {
		return nil, fmt.Errorf("line %d: a files_interval of %v is too short: allowed is %v or more", r.line, r.Duration, leastFilesRefresh)
	}
	check := newChecker(&s.shape.prober)
	if s.jobs, err = c.jobs(check, files); err != nil {
		return nil, err
	}
	if err := bounded(s.jobs); err != nil {
		return nil, err
	}
	if s.probing, err = c.probing(check); err != nil {
		return nil, err
	}
	return s, nil
}

// jobs returns all hosts: first those of the configuration itself.
func (c *config) jobs(check *checker, files *hostFiles) (all []job, err error) {
	lines := map[string]int{}
	add := func(t *targetConfig, jobs []job, err error) error {
		if all = append(all, jobs...); err == nil && len(all) > mostTargets {
			err = fmt.Errorf("line %d: these hosts make more than %d: split them among several exporters", t.line(), mostTargets)
		}
		return err
	}
	for i := range c.Targets {
		t := &c.Targets[i]
		jobs, err := t.jobs(c, check, lines, false)
		if err := add(t, jobs, err); err != nil {
			return nil, err
		}
	}
	files.begin()
	defer files.end()
	for i := range c.Targets {
		t := &c.Targets[i]
		jobs, err := t.fileJobs(c, check, lines, files)
		if err := add(t, jobs, err); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// line is where a group is, as far as that is known.
func (t *targetConfig) line() int {
	for _, h := range append(slices.Clone(t.Hosts), t.Files...) {
		return h.line
	}
	return 0
}

// Defaults of modules, which are done within a scrape, and of /probe.
const (
	defaultCount      = 3
	mostCount         = 1000
	defaultGap        = 100 * time.Millisecond
	defaultConcurrent = 100
	mostConcurrent    = 10_000
)

// probing returns what /probe may do.
func (c *config) probing(check *checker) (*probing, error) {
	p := &probing{modules: map[string]*module{}}
	concurrent := c.Probe.Concurrent
	if concurrent.line != 0 && concurrent.int == 0 || concurrent.int > mostConcurrent {
		return nil, fmt.Errorf("line %d: %d probes at once: allowed is 1 to %d", concurrent.line, concurrent.int, mostConcurrent)
	}
	p.places = make(chan struct{}, cmp.Or(concurrent.int, defaultConcurrent))
	for _, allowed := range c.Probe.Allow {
		p.allow = append(p.allow, allowed.Masked())
	}
	if len(p.allow) == 0 {
		p.allow = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		m := c.Modules[name]
		o := or(m.Options, c.Defaults.Options)
		if m.Options.Interval.line == 0 {
			o.Interval.Duration = defaultGap
		}
		if m.Options.Family.both {
			return nil, fmt.Errorf("line %d: module %s cannot use both families: allowed is any, ipv4 or ipv6", o.Family.line, name)
		}
		probing, err := o.probing()
		if err != nil {
			return nil, err
		}
		if m.Count.line != 0 && m.Count.int == 0 || m.Count.int > mostCount {
			return nil, fmt.Errorf("line %d: module %s with a count of %d: allowed is 1 to %d", m.Count.line, name, m.Count.int, mostCount)
		}
		if err := check.probing(&probing, &o, 0); err != nil {
			return nil, fmt.Errorf("module %s: %w", name, err)
		}
		if m.PathMTU.yes && probing.Packet.Protocol != icmplib.ICMP && probing.Packet.Protocol != icmplib.UDP {
			return nil, fmt.Errorf("line %d: module %s: %v probes carry no data and cannot find the path MTU: allowed are icmp and udp", m.PathMTU.line, name, probing.Packet.Protocol)
		}
		p.modules[name] = &module{route: m.Route.yes, mtu: m.PathMTU.yes, ping: icmplib.PingOptions{
			Count: cmp.Or(m.Count.int, defaultCount), Interval: probing.Interval, Timeout: probing.Timeout, Family: probing.Family, Packet: probing.Packet,
		}}
	}
	return p, nil
}

// loopback is an address of a family.
func loopback(family icmplib.Family) string {
	if family == icmplib.IPv6 {
		return "::1"
	}
	return "127.0.0.1"
}

// jobs returns the hosts of a group. Lines has the line of each job so far. What is there
// already is refused, or left out of a file of hosts.
func (t *targetConfig) jobs(c *config, check *checker, lines map[string]int, ofFile bool) (jobs []job, err error) {
	if len(t.Hosts)+len(t.Files) == 0 && !ofFile {
		return nil, errors.New("a target has no hosts: add hosts: with names and addresses, or files: with lists of them")
	}
	if err := checkLabels(t.line(), t.Labels); err != nil {
		return nil, err
	}
	o, w := or(t.Options, c.Defaults.Options), or(t.Watching, c.Defaults.Watching)
	probing, err := o.probing()
	if err != nil {
		return nil, err
	}
	if err := w.complete(&probing); err != nil {
		return nil, err
	}
	following, err := w.following(&probing)
	if err != nil {
		return nil, err
	}
	probing.ResolveEvery = orElse(c.ResolveInterval.Duration, defaultResolveInterval)
	if err := check.probing(&probing, &o, t.line()); err != nil {
		return nil, err
	}
	for _, h := range t.Hosts {
		for _, probing.Family = range o.Family.families() {
			j := job{host: h.name, labels: t.Labels, probing: probing, following: following}
			if err := check.host(&j, h.line); err != nil {
				return jobs, err
			}
			if before := j.rival(lines); before != 0 && ofFile {
				continue
			} else if before != 0 {
				return jobs, fmt.Errorf("line %d: %q is in line %d already: remove one, or give them different labels or families", h.line, h.name, before)
			}
			lines[j.id()] = h.line
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// probing is that of the library.
func (o *options) probing() (icmplib.WatchProbing, error) {
	p := icmplib.WatchProbing{
		Interval: orElse(o.Interval.Duration, defaultInterval),
		Timeout:  orElse(o.Timeout.Duration, defaultTimeout),
		Family:   o.Family.Family,
		Packet: icmplib.Packet{
			Protocol:     o.Protocol.Protocol,
			Port:         uint16(o.Port.int),
			Size:         o.Size.int,
			TTL:          o.TTL.int,
			TrafficClass: o.TrafficClass.int,
		},
	}
	switch {
	case p.Interval < leastInterval:
		return p, fmt.Errorf("line %d: an interval of %v is too short: allowed is %v or more", o.Interval.line, p.Interval, leastInterval)
	case o.Port.int > math.MaxUint16 || o.Port.line != 0 && o.Port.int == 0:
		return p, fmt.Errorf("line %d: there is no port %d: allowed is 1 to 65535", o.Port.line, o.Port.int)
	case o.TTL.line != 0 && o.TTL.int == 0:
		return p, fmt.Errorf("line %d: a packet with ttl 0 cannot be sent: allowed is 1 to 255", o.TTL.line)
	}
	if o.Size.line != 0 && o.Size.int == 0 {
		p.Packet.Size = -1 // the library's word for no payload
	}
	return p, nil
}

// complete adds what is about probing for ever.
func (w *watching) complete(p *icmplib.WatchProbing) error {
	if w.DownAfter.line != 0 && w.DownAfter.int == 0 {
		return fmt.Errorf("line %d: down after 0 silent probes: allowed is 1 or more", w.DownAfter.line)
	}
	p.AllAddresses, p.DownAfter, p.NewIDAfter = !w.Addresses.first, w.DownAfter.int, w.NewIDAfter.int
	if w.NewIDAfter.line != 0 && w.NewIDAfter.int == 0 {
		p.NewIDAfter = -1 // the library's word for never
	}
	return nil
}

// following returns what is found out about the ways.
func (w *watching) following(p *icmplib.WatchProbing) (following, error) {
	f := following{
		trace: w.TraceOnTrouble.yes, loss: cmp.Or(w.TraceLoss.float64, defaultLoss),
		every: w.RouteInterval.Duration, hops: cmp.Or(w.RouteHops.int, defaultHops), mtuEvery: w.PathMTUInterval.Duration,
	}
	sized := p.Packet.Protocol == icmplib.ICMP || p.Packet.Protocol == icmplib.UDP
	switch {
	case f.every > 0 && f.every < leastRouteInterval:
		return f, fmt.Errorf("line %d: a route_interval of %v is too short: allowed is %v or more", w.RouteInterval.line, f.every, leastRouteInterval)
	case w.RouteHops.line != 0 && w.RouteHops.int == 0 || w.RouteHops.int > mostHops:
		return f, fmt.Errorf("line %d: route_hops is %d: allowed is 1 to %d", w.RouteHops.line, w.RouteHops.int, mostHops)
	case f.mtuEvery > 0 && f.mtuEvery < leastMTUInterval:
		return f, fmt.Errorf("line %d: a path_mtu_interval of %v is too short: allowed is %v or more", w.PathMTUInterval.line, f.mtuEvery, leastMTUInterval)
	case f.mtuEvery > 0 && !sized:
		return f, fmt.Errorf("line %d: %v probes carry no data and cannot find the path MTU: allowed are icmp and udp", w.PathMTUInterval.line, p.Packet.Protocol)
	}
	return f, nil
}

// bounded refuses more than the ways of so many hosts.
func bounded(jobs []job) error {
	traced, routed := 0, 0
	for i := range jobs {
		if f := &jobs[i].following; f.trace {
			traced++
		}
		if f := &jobs[i].following; f.every > 0 || f.mtuEvery > 0 {
			routed++
		}
	}
	if traced > mostTraced {
		return fmt.Errorf("trace_on_trouble is set for %d hosts: up to %d are allowed: split them among several exporters", traced, mostTraced)
	}
	if routed > mostRouted {
		return fmt.Errorf("route_interval or path_mtu_interval is set for %d hosts: up to %d are allowed: split them among several exporters", routed, mostRouted)
	}
	return nil
}

// config is that of the library.
func (p *proberConfig) config() icmplib.Config {
	return icmplib.Config{
		Mode:      p.Mode.Mode,
		Rate:      p.Rate.int,
		Source4:   p.Source4.Addr,
		Source6:   p.Source6.Addr,
		Interface: p.Interface,
		Mark:      p.Mark.uint32,
	}
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
