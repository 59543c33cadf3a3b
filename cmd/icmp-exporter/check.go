package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"

	"github.com/goicmp/icmplib"
)

// checker asks the library whether it will take a job, without a packet and
// without a look-up.
type checker struct {
	// closed is a Prober that cannot send any more: it refuses options that
	// cannot be used first, and what is left is net.ErrClosed.
	closed *icmplib.Prober
	err    error // of the Prober's own options

	// names takes addresses and names apart; its resolver asks nobody.
	names icmplib.NameCache
}

func newChecker(cfg *icmplib.Config) *checker {
	c := &checker{}
	c.names.Resolver = &net.Resolver{
		PreferGo: true,
		Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errors.ErrUnsupported },
	}
	if c.closed, c.err = icmplib.NewProber(cfg); c.err == nil {
		c.err = c.closed.Close()
	}
	return c
}

// probing says what is wrong with how to probe, and in which line.
func (c *checker) probing(p *icmplib.WatchProbing, o *options, line int) error {
	if c.err != nil {
		return fmt.Errorf("prober: %w", c.err)
	}
	ping := icmplib.PingOptions{Timeout: p.Timeout, Family: p.Family, Packet: p.Packet}
	_, err := c.closed.Ping(context.Background(), loopback(p.Family), &ping)
	if refused, ok := errors.AsType[*icmplib.ConfigError](err); ok {
		if at := o.lineOf(refused.Field); at != 0 {
			line = at
		}
		return fmt.Errorf("line %d: %w", line, refused)
	}
	return nil
}

// host says what is wrong with the host of a job.
func (c *checker) host(j *job, line int) error {
	_, err := c.names.Resolve(context.Background(), j.host, j.probing.Family)
	if _, asked := errors.AsType[*net.DNSError](err); err != nil && !asked {
		return fmt.Errorf("line %d: %w: allowed is the name of a host, or an address of the family", line, err)
	}
	return nil
}

// lineOf returns the line of what became a field of the library's options.
func (o *options) lineOf(field string) int {
	return map[string]int{
		"Timeout":      o.Timeout.line,
		"TTL":          o.TTL.line,
		"TrafficClass": o.TrafficClass.line,
		"Size":         o.Size.line,
		"Port":         o.Port.line,
	}[field]
}

// checkBuckets refuses bounds that are no buckets.
func checkBuckets(bounds []float64) ([]float64, error) {
	for i, bound := range bounds {
		if !(bound > 0) || i > 0 && bound <= bounds[i-1] {
			return nil, fmt.Errorf("classic_buckets has %v: allowed are seconds above 0 in ascending order, such as [0.001, 0.01, 0.1]", bound)
		}
	}
	return bounds, nil
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// ownLabels are those that the exporter sets, and histograms.
var ownLabels = []string{"target", "address", "protocol", "family", "reason", "hop", "router", "route", "le"}

// checkLabels refuses names that Prometheus does not take or that are in use.
func checkLabels(line int, labels map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case !labelName.MatchString(name) || len(name) > 1 && name[:2] == "__":
			return fmt.Errorf("line %d: these hosts have a label %q: allowed are letters, digits and underscores, no digit first and not two underscores", line, name)
		case slices.Contains(ownLabels, name):
			return fmt.Errorf("line %d: these hosts have a label %q, which the exporter sets itself: use another name", line, name)
		}
	}
	return nil
}
