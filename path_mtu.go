package icmplib

import (
	"cmp"
	"context"
	"net/netip"
	"time"
)

// MTUReport is how large a packet can be that reaches a target without being
// fragmented: the result of [Prober.PathMTU]. All sizes are in bytes, of the
// whole IP packet.
type MTUReport struct {
	// Address is the address that was probed, and Name the target as the caller
	// gave it.
	Address netip.Addr `json:"address"`
	Name    string     `json:"name"`

	// MTU is that of the path: the largest packet that gets there, as far as
	// Confirmed and Exact say.
	MTU int `json:"mtu"`

	// Reached is set where the target answers. Where it does not, MTU is that
	// of the path to the farthest router that does.
	Reached bool `json:"reached"`

	// Confirmed is set where a packet of just MTU bytes was answered: by the
	// target or, where Reached is not set, by the farthest router that answers.
	Confirmed bool `json:"confirmed"`

	// Exact is set where a packet of MTU+1 bytes is known not to get there: somebody
	// said so, or it stayed silent while small ones were answered. Where it is not, MTU is the largest that was tried, or was the last that
	// could be told.
	Exact bool `json:"exact"`

	// LocalMTU is the largest packet that this system sends towards the target;
	// 0: more than the largest that was tried.
	LocalMTU int `json:"local_mtu,omitzero"`

	// Hops are those on the way that the probes found, in order of distance,
	// silent ones too.
	Hops []HopMTU `json:"hops"`

	// BlackHoles are the places where packets vanish that are too big, without
	// a word of the router, in order of distance.
	BlackHoles []BlackHole `json:"black_holes"`
}

// HopMTU is a router on the way, or the target.
type HopMTU struct {
	Distance int        `json:"distance"` // the TTL, or hop limit, at which it is
	Address  netip.Addr `json:"address"`  // the zero Addr where it is silent

	// MTU is the largest packet that gets from this system over the link that
	// leads on from here, so it never grows with the distance. At the target it
	// is that of the path. 0: not known.
	MTU int `json:"mtu,omitzero"`

	// Source says how MTU is known where it falls.
	Source MTUSource `json:"source"`

	// ReportedBy is who told the MTU, where Source is [MTUReported].
	ReportedBy netip.Addr `json:"reported_by,omitzero"`
}

// BlackHole is a link that packets over a certain size do not pass, and whose
// router does not say so (RFC 2923 section 2.1).
type BlackHole struct {
	// After is the last hop that answers packets that are too big for the link,
	// and Before the next one that answers smaller ones. Distances, 0 being this
	// system; the addresses are in Hops.
	After  int `json:"after"`
	Before int `json:"before"`

	// Replies is set where probes get to the target, and its replies, which are as
	// large, vanish or are never sent: somewhere between After, the target, and this
	// system, which is Before. It is found by UDP probes, whose answers are small.
	// Unsure is set where the target does not answer those, so that either probes or
	// replies vanish.
	Replies bool `json:"replies,omitzero"`
	Unsure  bool `json:"unsure,omitzero"`

	// Passes is the largest packet that gets through, and Fails the smallest
	// that is known not to.
	Passes int `json:"passes"`
	Fails  int `json:"fails"`
}

// MTUSource is how an MTU is known.
type MTUSource uint8

// The ways to know an MTU.
const (
	MTUKept     MTUSource = iota // it is that of the hop before
	MTUReported                  // a router told it
	MTUMeasured                  // it was found by trying, for nobody told it or what was told is wrong
)

var mtuSourceWords = [...]string{"kept", "reported", "measured"}

// String returns the way in a word: "kept", "reported" or "measured".
func (s MTUSource) String() string {
	return wordOf(s, mtuSourceWords[:], "unknown")
}

// MarshalText returns the word, for JSON and its like.
func (s MTUSource) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s to the way whose word is given. An unknown word is an
// error.
func (s *MTUSource) UnmarshalText(word []byte) error {
	return setByWord(s, mtuSourceWords[:], 0, word, "source of an MTU")
}

// PathMTU finds out how large packets to a host, a name or an address, can be.
// Calls share their sockets, which are open only while a call runs; see [Prober]
// for one that keeps them. See [Prober.PathMTU] for the rest.
func PathMTU(ctx context.Context, target string, opts *PathMTUOptions) (*MTUReport, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.PathMTU(ctx, target, opts)
}

// PathMTU finds out how large packets to a host, a name or an address, can be,
// and where on the way what is larger ends. It
// needs no privileges. What the system remembers about the path plays no part.
//
// A target or routers that do not answer are no errors: see the fields of
// [MTUReport] for what is known nevertheless. An error is returned as by [Ping].
// When ctx ends after sending began, its cause is returned together with what
// is known by then.
func (p *Prober) PathMTU(ctx context.Context, target string, opts *PathMTUOptions) (*MTUReport, error) {
	run, err := p.newPathMTU(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	err = run.find(ctx)
	return run.report(), err
}

// PathMTUOptions says how to find the MTU of a path. Nil and the zero value mean
// all defaults.
type PathMTUOptions struct {
	// Count is how often a packet is sent before its silence is looked into, 1
	// to 100. The default is 3. A size is taken for one that does not pass only
	// when small packets are answered so well meanwhile that chance is ruled
	// out, whatever Count is.
	Count int

	// Interval is the time from one packet to the next. The default is 100 ms; a
	// negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// MaxHops is the distance that is not gone beyond, 1 to 255. The default is
	// 30.
	MaxHops int

	// MaxMTU is the largest packet that is tried, in bytes. The default is what
	// this system can send to the target in one piece, 65,535 at the most.
	MaxMTU int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the probes: Protocol is [ICMP] or [UDP]. Size,
	// Payload and TTL have to be zero, for the probes differ in them.
	// DontFragment is always set.
	Packet Packet
}

// The least MTUs that every link has (RFC 791 section 3.2, RFC 8200 section 5),
// and the largest packet.
const (
	leastMTU4 = 68
	leastMTU6 = 1280
	maxMTU    = 65535
)

const (
	defaultPathMTUCount    = 3
	defaultPathMTUInterval = 100 * time.Millisecond
	maxPathMTUCount        = 100
)

// leastMTU returns the size that every link to an address takes.
func leastMTU(dst netip.Addr) int {
	if dst.Is6() {
		return leastMTU6
	}
	return leastMTU4
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *PathMTUOptions) withDefaults() (PathMTUOptions, error) {
	var opts PathMTUOptions
	if o != nil {
		opts = *o
	}
	opts.Count = cmp.Or(opts.Count, defaultPathMTUCount)
	opts.MaxHops = cmp.Or(opts.MaxHops, defaultMaxHops)
	opts.MaxMTU = cmp.Or(opts.MaxMTU, maxMTU)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultPathMTUInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	opts.Packet.DontFragment = true
	return opts, nil
}

func (o *PathMTUOptions) validate() error {
	pk := &o.Packet
	switch {
	case o.Count < 1 || o.Count > maxPathMTUCount:
		return &ConfigError{Field: "Count", Value: o.Count, Allowed: "1 to 100, or 0 for the default of 3"}
	case o.MaxHops < 1 || o.MaxHops > maxTTL:
		return &ConfigError{Field: "MaxHops", Value: o.MaxHops, Allowed: "1 to 255, or 0 for the default of 30"}
	case o.MaxMTU < leastMTU4 || o.MaxMTU > maxMTU:
		return &ConfigError{Field: "MaxMTU", Value: o.MaxMTU, Allowed: "68 to 65535 bytes (1280 at the least with IPv6), or 0 for the largest there is"}
	case pk.Protocol == TCP || pk.Protocol == SCTP:
		return &ConfigError{Field: "Protocol", Value: pk.Protocol, Allowed: "ICMP or UDP: probes of TCP and SCTP carry no data, so their size cannot be chosen"}
	case pk.TTL != 0:
		return &ConfigError{Field: "TTL", Value: pk.TTL, Allowed: "0: it is set as is needed"}
	case pk.Size != 0:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "0: it is what is tried; see MaxMTU"}
	case pk.Payload != nil:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "none: its size is what is tried"}
	}
	return cmp.Or(validateUnit("Interval", o.Interval), validateProbing(o.Timeout, o.Family, pk))
}

// validateFor refuses what cannot be sent to a target.
func (o *PathMTUOptions) validateFor(dst netip.Addr) error {
	if least := leastMTU(dst); o.MaxMTU < least {
		return &ConfigError{Field: "MaxMTU", Value: o.MaxMTU, Allowed: "at least 1280 for the target " + dst.String() + ": each link of IPv6 takes that"}
	}
	return nil
}
