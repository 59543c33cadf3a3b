package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

// settings is what a configuration comes to: every value in its place.
type settings struct {
	shape shape
	jobs  []job
}

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
	if len(c.Targets) == 0 {
		return nil, errors.New("there are no targets: add targets: with hosts: below it")
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
	}
	s.shape.labels = labelNames(s.jobs)
	return s, nil
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
