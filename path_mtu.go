package icmplib

import (
	"context"
	"net/netip"
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
	return run.result, run.find(ctx)
}
