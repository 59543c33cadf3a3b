// Package policy says what an agent may be asked to probe. The owner of the agent
// has the last word: what the hub adds can only narrow it.
package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time.Duration that files and messages write as "10m".
type Duration time.Duration

// MarshalText returns the duration as time.Duration.String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Limits are bounds on what an agent does: those of its owner, and those of the hub.
// A zero field leaves its matter to the other bounds.
type Limits struct {
	// Allow lists the prefixes that may be probed; none stands for all that are public.
	// An address of a special block, such as 10.0.0.0/8, is allowed only by a prefix that
	// lies within the block: 0.0.0.0/0 does not open it. See [Special].
	Allow []netip.Prefix `json:"allow,omitempty" yaml:"allow"`

	// Deny lists prefixes that may not be probed, whatever Allow says.
	Deny []netip.Prefix `json:"deny,omitempty" yaml:"deny"`

	// Protocols are those of the probes: icmp, udp, tcp, sctp.
	Protocols []string `json:"protocols,omitempty" yaml:"protocols"`

	// PacketsPerSecond bounds the packets of the agent over everything that it does.
	PacketsPerSecond int `json:"packets_per_second,omitempty" yaml:"packets_per_second"`

	// Concurrency is how many questions and shards are worked on at a time.
	Concurrency int `json:"concurrency,omitempty" yaml:"concurrency"`

	// Longest is how long one question, or one shard, may take.
	Longest Duration `json:"longest,omitempty" yaml:"longest"`
}

// Default are the limits of an agent without a policy file: the public Internet by ICMP,
// UDP and TCP, 1000 packets per second, 8 matters at a time, 10 minutes each.
func Default() Limits {
	return Limits{
		Protocols:        []string{"icmp", "udp", "tcp"},
		PacketsPerSecond: 1000,
		Concurrency:      8,
		Longest:          Duration(10 * time.Minute),
	}
}

// Read reads limits from a YAML file. A field that it does not know is an error.
func Read(file string) (Limits, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Limits{}, err
	}
	limits, err := Parse(text)
	if err != nil {
		return Limits{}, fmt.Errorf("policy %s: %w", file, err)
	}
	return limits, nil
}

// Parse reads limits from YAML. What it does not say stays at 0.
func Parse(text []byte) (Limits, error) {
	var l Limits
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&l); err != nil && !errors.Is(err, io.EOF) {
		return Limits{}, err
	}
	return l, l.validate()
}

func (l Limits) validate() error {
	for _, name := range l.Protocols {
		if !slices.Contains([]string{"icmp", "udp", "tcp", "sctp"}, name) {
			return fmt.Errorf("protocols: there is no %q: icmp, udp, tcp and sctp are allowed", name)
		}
	}
	for _, prefix := range slices.Concat(l.Allow, l.Deny) {
		if prefix != prefix.Masked() || prefix.Addr().Is4In6() {
			return fmt.Errorf("%s is no prefix: write %s", prefix, prefix.Masked())
		}
	}
	if l.PacketsPerSecond < 0 || l.Concurrency < 0 || l.Longest < 0 {
		return errors.New("packets_per_second, concurrency and longest must not be negative")
	}
	return nil
}

// Or returns l with the fields of other where l leaves them open.
func (l Limits) Or(other Limits) Limits {
	if l.Allow == nil {
		l.Allow = other.Allow
	}
	if l.Deny == nil {
		l.Deny = other.Deny
	}
	if l.Protocols == nil {
		l.Protocols = other.Protocols
	}
	l.PacketsPerSecond = cmp.Or(l.PacketsPerSecond, other.PacketsPerSecond)
	l.Concurrency = cmp.Or(l.Concurrency, other.Concurrency)
	l.Longest = cmp.Or(l.Longest, other.Longest)
	return l
}

// Policy is the limits of an agent's owner, narrowed by those of the hub.
type Policy struct {
	owner, hub Limits
}

// New returns the policy of an owner, narrowed by the limits of a hub. What the hub says
// of Allow opens nothing that the owner has closed.
func New(owner, hub Limits) Policy { return Policy{owner: owner.Or(Default()), hub: hub} }

// least returns the smaller of two bounds, of which 0 is none.
func least[T int | Duration](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// PacketsPerSecond is the bound that holds.
func (p Policy) PacketsPerSecond() int {
	return least(p.owner.PacketsPerSecond, p.hub.PacketsPerSecond)
}

// Concurrency is the bound that holds.
func (p Policy) Concurrency() int { return least(p.owner.Concurrency, p.hub.Concurrency) }

// Longest is the bound that holds.
func (p Policy) Longest() time.Duration { return time.Duration(least(p.owner.Longest, p.hub.Longest)) }

// A Refusal says why something may not be probed.
type Refusal struct {
	Reason string // for people
}

// Error returns the reason.
func (r *Refusal) Error() string { return "refused by the agent's policy: " + r.Reason }

func refuse(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}

// Protocol returns a *[Refusal] if probes of a protocol are not allowed.
func (p Policy) Protocol(name string) error {
	for _, l := range []Limits{p.owner, p.hub} {
		if len(l.Protocols) > 0 && !slices.Contains(l.Protocols, name) {
			return refuse("%s probes are not allowed", name)
		}
	}
	return nil
}

// Duration returns a *[Refusal] if a measurement takes too long.
func (p Policy) Duration(d time.Duration) error {
	if longest := p.Longest(); d > longest {
		return refuse("it takes %v, but the maximum is %v", d.Round(time.Second), longest)
	}
	return nil
}

// Target returns a *[Refusal] if an address may not be probed. It is to be asked about
// the address that a name was resolved to, and the probes are to go to that address.
func (p Policy) Target(addr netip.Addr) error { return p.target(addr, false) }

// Peer is Target for another agent of the mesh, which may have a private address
// although none is listed.
func (p Policy) Peer(addr netip.Addr) error { return p.target(addr, true) }

func (p Policy) target(addr netip.Addr, peer bool) error {
	if !addr.IsValid() {
		return refuse("there is no address")
	}
	for _, a := range embedded(addr) {
		if err := p.owner.open(a, peer); err != nil {
			return err
		}
		for _, l := range []Limits{p.owner, p.hub} {
			if err := l.contains(a, peer); err != nil {
				return err
			}
		}
	}
	return nil
}

// open returns a refusal for an address of a special block that no prefix within the
// block opens.
func (l Limits) open(addr netip.Addr, peer bool) error {
	block, kind := Special(addr)
	if kind == "" || peer && kind == kindPrivate {
		return nil
	}
	for _, allowed := range l.Allow {
		if allowed.Contains(addr) && allowed.Bits() >= block.Bits() {
			return nil
		}
	}
	return refuse("%s is %s, and no prefix of the policy within %s lists it", addr, kind, block)
}

func (l Limits) contains(addr netip.Addr, peer bool) error {
	within := func(p netip.Prefix) bool { return p.Contains(addr) }
	if slices.ContainsFunc(l.Deny, within) {
		return refuse("%s is denied", addr)
	}
	if len(l.Allow) > 0 && !peer && !slices.ContainsFunc(l.Allow, within) {
		return refuse("%s is in none of the allowed prefixes", addr)
	}
	return nil
}
