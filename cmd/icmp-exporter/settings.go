package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
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
	labels  []string // all names that targets use, in order
}

// job is one host to probe.
type job struct {
	host         string
	labels       map[string]string
	resolveEvery time.Duration
	firstOnly    bool // of the addresses of a name
	ping         icmplib.PingOptions
}

// id tells jobs apart: it is what their series are told apart by. To Prometheus an
// empty label is none.
func (j *job) id() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %v", j.host, j.ping.Packet.Protocol)
	for _, name := range slices.Sorted(maps.Keys(j.labels)) {
		if value := j.labels[name]; value != "" {
			fmt.Fprintf(&b, " %s=%q", name, value)
		}
	}
	return b.String()
}

func (j *job) same(as *job) bool { return reflect.DeepEqual(j, as) }

const (
	defaultInterval        = time.Second
	defaultResolveInterval = time.Minute
	leastInterval          = 10 * time.Millisecond
	leastResolveInterval   = time.Second
)

// settings fills in the defaults and refuses what cannot be done.
func (c *config) settings() (*settings, error) {
	if len(c.Targets) == 0 && len(c.Modules) == 0 {
		return nil, errors.New("there are no targets: add targets: with hosts: below it, or modules: for /probe")
	}
	s := &settings{}
	s.shape.prober = c.Prober.config()
	var err error
	if s.shape.buckets, err = checkBuckets(c.ClassicBuckets); err != nil {
		return nil, err
	}
	if r := c.ResolveInterval; r.line != 0 && r.Duration < leastResolveInterval {
		return nil, fmt.Errorf("line %d: a resolve_interval of %v is too short: allowed is %v and more", r.line, r.Duration, leastResolveInterval)
	}
	check := newChecker(&s.shape.prober)
	lines := map[string]int{}
	for i := range c.Targets {
		jobs, err := c.Targets[i].jobs(c, check, lines)
		if err != nil {
			return nil, err
		}
		s.jobs = append(s.jobs, jobs...)
		if len(s.jobs) > mostTargets {
			return nil, fmt.Errorf("line %d: with these hosts there are more than %d: share them out among several exporters", c.Targets[i].Hosts[0].line, mostTargets)
		}
	}
	if s.probing, err = c.probing(check); err != nil {
		return nil, err
	}
	s.shape.labels = labelNames(s.jobs)
	return s, nil
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
	p := &probing{modules: map[string]*icmplib.PingOptions{}}
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
		o := m.Options.or(c.Defaults)
		if m.Options.Interval.line == 0 {
			o.Interval.Duration = defaultGap
		}
		ping, err := o.pingOptions()
		if err != nil {
			return nil, err
		}
		if m.Count.line != 0 && m.Count.int == 0 || m.Count.int > mostCount {
			return nil, fmt.Errorf("line %d: module %s with a count of %d: allowed is 1 to %d", m.Count.line, name, m.Count.int, mostCount)
		}
		ping.Count = cmp.Or(m.Count.int, defaultCount)
		if err := check.job(&job{host: loopback(ping.Family), ping: ping}, &o, 0); err != nil {
			return nil, fmt.Errorf("module %s: %w", name, err)
		}
		p.modules[name] = &ping
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

// jobs returns the hosts of a group. Lines has the line of each job so far.
func (t *targetConfig) jobs(c *config, check *checker, lines map[string]int) (jobs []job, err error) {
	if len(t.Hosts) == 0 {
		return nil, errors.New("a target has no hosts: give it hosts: with a list of names and addresses")
	}
	if err := checkLabels(t.Hosts[0].line, t.Labels); err != nil {
		return nil, err
	}
	o := t.Options.or(c.Defaults)
	for _, h := range t.Hosts {
		j := job{
			host:         h.name,
			labels:       t.Labels,
			resolveEvery: orElse(c.ResolveInterval.Duration, defaultResolveInterval),
			firstOnly:    o.Addresses.first,
		}
		if j.ping, err = o.pingOptions(); err != nil {
			return nil, err
		}
		if err := check.job(&j, &o, h.line); err != nil {
			return nil, err
		}
		id := j.id()
		if before := lines[id]; before != 0 {
			return nil, fmt.Errorf("line %d: %q is in line %d already: remove one of them, or give one a label that tells them apart", h.line, h.name, before)
		}
		lines[id] = h.line
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// pingOptions are those of the library.
func (o *options) pingOptions() (icmplib.PingOptions, error) {
	ping := icmplib.PingOptions{
		Count:    -1,
		Interval: orElse(o.Interval.Duration, defaultInterval),
		Timeout:  o.Timeout.Duration,
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
	case ping.Interval < leastInterval:
		return ping, fmt.Errorf("line %d: an interval of %v is too short: allowed is %v and more", o.Interval.line, ping.Interval, leastInterval)
	case o.Port.int > math.MaxUint16 || o.Port.line != 0 && o.Port.int == 0:
		return ping, fmt.Errorf("line %d: there is no port %d: allowed is 1 to 65535", o.Port.line, o.Port.int)
	case o.TTL.line != 0 && o.TTL.int == 0:
		return ping, fmt.Errorf("line %d: a ttl of 0 leaves no host: allowed is 1 to 255", o.TTL.line)
	}
	if o.Size.line != 0 && o.Size.int == 0 {
		ping.Packet.Size = -1 // the library's word for no payload
	}
	return ping, nil
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

// labelNames returns all names of labels that jobs have. Prometheus wants the
// same ones on all series of a metric; where a job has none of a name it is
// empty, which to Prometheus is the same as none.
func labelNames(jobs []job) []string {
	all := map[string]bool{}
	for i := range jobs {
		for name := range jobs[i].labels {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
