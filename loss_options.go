package icmplib

import (
	"cmp"
	"time"
)

// ExplainLossOptions says how to look for loss. Nil and the zero value mean all
// defaults, which take about 75 s and send 260 probes to each hop.
type ExplainLossOptions struct {
	// SlowCount probes are sent to each hop first, one every SlowInterval. The
	// defaults are 60 and 1 s; fewer than 10 are refused.
	SlowCount    int
	SlowInterval time.Duration

	// FastCount probes follow, one every FastInterval. The defaults are 200 and
	// 50 ms; fewer than 10 are refused, and so is an interval of more than a
	// quarter of the other one, or less than 1 ms.
	FastCount    int
	FastInterval time.Duration

	// FirstHop and MaxHops are the first and the last TTL that is tried, from 1
	// to 255. The defaults are 1, and 30 or FirstHop where that is more.
	FirstHop int
	MaxHops  int

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where the name has such an address, else IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions].
	Packet Packet
}

// The defaults of ExplainLossOptions.
const (
	defaultSlowCount    = 60
	defaultSlowInterval = time.Second
	defaultFastCount    = 200
	defaultFastInterval = 50 * time.Millisecond

	minLossCount = 10
)

// withDefaults returns the options as they take effect, or why they cannot.
func (o *ExplainLossOptions) withDefaults() (ExplainLossOptions, error) {
	var opts ExplainLossOptions
	if o != nil {
		opts = *o
	}
	opts.SlowCount = cmp.Or(opts.SlowCount, defaultSlowCount)
	opts.FastCount = cmp.Or(opts.FastCount, defaultFastCount)
	opts.SlowInterval = cmp.Or(opts.SlowInterval, defaultSlowInterval)
	opts.FastInterval = cmp.Or(opts.FastInterval, min(defaultFastInterval, opts.SlowInterval/lossRateRatio))
	if err := cmp.Or(validateUnit("SlowInterval", opts.SlowInterval), validateUnit("FastInterval", opts.FastInterval)); err != nil {
		return opts, err
	}
	switch {
	case opts.SlowInterval < lossRateRatio*minMonitorInterval:
		return opts, &ConfigError{Field: "SlowInterval", Value: opts.SlowInterval, Allowed: "4 ms or more, or 0 for the default of 1 s"}
	case opts.SlowCount < minLossCount:
		return opts, &ConfigError{Field: "SlowCount", Value: opts.SlowCount, Allowed: "10 or more, or 0 for the default of 60"}
	case opts.FastCount < minLossCount:
		return opts, &ConfigError{Field: "FastCount", Value: opts.FastCount, Allowed: "10 or more, or 0 for the default of 200"}
	case opts.FastInterval < minMonitorInterval || opts.FastInterval > opts.SlowInterval/lossRateRatio:
		return opts, &ConfigError{Field: "FastInterval", Value: opts.FastInterval, Allowed: "1 ms to a quarter of SlowInterval, or 0 for the default of 50 ms"}
	}
	_, err := opts.phase(opts.SlowCount, opts.SlowInterval, opts.MaxHops).withDefaults()
	return opts, err
}
