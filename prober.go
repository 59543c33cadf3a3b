package icmplib

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/lease"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/standin"
	"github.com/goicmp/icmplib/socket"
)

// Config holds the settings of a [Prober]. Nil and the zero value mean all defaults.
type Config struct {
	// Mode is the kind of socket. The default, [socket.Auto], is a datagram socket if the
	// system allows one, which needs no privilege, and otherwise a raw socket.
	Mode socket.Mode

	// Source4 and Source6 are the local addresses to send from. By default, the system
	// chooses one for each destination.
	Source4 netip.Addr
	Source6 netip.Addr

	// Interface is the name of the interface to send and receive on. By default, the
	// system's routes choose it. While no interface has that name, probes cannot be sent
	// and end with StatusNetworkDown; as soon as one has it again, the Prober uses it.
	Interface string

	// Mark is the routing mark (SO_MARK) of packets; 0 means none. It works on Linux only,
	// and requires CAP_NET_ADMIN or CAP_NET_RAW.
	Mark uint32

	// ID is the identifier of all echo requests, like the id of icmplib, for firewalls and
	// hosts that recognize the prober by it. The default, 0, draws an identifier for each
	// socket, and a further one when more sequence numbers are needed or a session is
	// stuck. With a fixed ID, there is one socket for each IP version: sending waits while
	// all its 65,535 sequence numbers are in flight, all operations must use the same
	// source, interface, mark, don't-fragment and broadcast options, and an interface that
	// was removed is not found again. If another socket has the ID, the first operation
	// fails with a [*socket.OpError]. On Linux, a datagram socket holds its ID for both IP
	// versions, so the second version needs a raw socket or fails. On Windows, datagram
	// sockets choose their ID themselves. The queries of [ProbeOptions] are not echo
	// requests and have IDs of their own.
	ID uint16

	// Rate limits the packets per second of all operations together. By default, and with a
	// negative value, there is no limit. (A MultiPing has its own rate, which is limited by
	// default.)
	Rate int

	// SendTimestamps makes the kernel stamp each ICMP probe when the network driver gets
	// it, so that the RTT does not include the time before that. This is not possible for
	// every RTT; see [Result.RTTSource]. It is off by default, because it costs 1 to 3 µs
	// of processor time per probe. It requires Linux 4.0; on other systems operations fail
	// with errors.ErrUnsupported. It has no effect on probes of other protocols.
	SendTimestamps bool

	// Resolver looks names up. The default is [net.DefaultResolver].
	Resolver *net.Resolver

	// Names, if not nil, remembers the addresses of names. By default, each operation looks
	// its names up. The cache uses its own Resolver.
	Names *NameCache

	// Trace, if not nil, is called for each packet that leaves, each that arrives, and each
	// silence: to make spans, to record packets, or to see why an answer was not credited.
	// It runs on its own goroutine, one event at a time, until Close has returned; it must
	// not call Close. Packets that the kernel and the sockets filter out, such as replies
	// to other programs, are not traced. Nil, the default, costs nothing.
	Trace func(TraceEvent)

	// Logger receives messages about this machine, such as a socket that cannot be read,
	// and never about targets. By default there are none.
	Logger *slog.Logger
}

// A Prober is the engine that all operations share: it owns the sockets, gives each probe
// its own identity, and credits each answer to its probe.
//
// It opens sockets when they are first needed, one for each family and each combination of
// socket-wide options in use (protocol, source, interface, mark, don't-fragment,
// broadcast). Any number of operations share them. When nearly 65,536 probes are in flight
// on one socket, which is all that an id can distinguish, the Prober opens another. It
// keeps its sockets, and the network namespace in which they were opened, until it is
// closed.
//
// It remembers the last 4096 addresses, other than those probed, from which targets sent
// echo replies. If such an address refuses a UDP probe to the same target, the refusal
// counts as the target's answer ([StatusReply] instead of [StatusRefused]).
//
// A Prober is safe for concurrent use. Make it with [NewProber]; methods of the zero value
// return an error.
type Prober struct {
	cfg     Config
	pacer   *engine.Pacer
	listen  listenFunc
	other   standin.Network                // replaces the system; nil: the system
	routed  func(*Packet, netip.Addr) bool // hasRoute; tests have networks of their own
	locks   drive.Locks
	crowd   drive.Shared // sends for Monitors and Watches
	aliases hosts.Aliases
	own     hosts.Own
	pools   *engine.Pools[socketKey]
	tracer  *tracer   // nil without Config.Trace
	sum     uint16    // of echo requests: see engine.OpConfig. At random, so that it proves something
	made    time.Time // when NewProber made it

	life   context.Context // ends when Close is called
	end    context.CancelCauseFunc
	closed <-chan struct{} // the Done channel of life; nil: NewProber did not make it
	ending sync.Once
}

// listenFunc opens the socket for a key; tests replace it by a simulated network.
type listenFunc func(socketKey) (engine.Medium, error)

// socketKey holds the socket-wide options of packets.
type socketKey struct {
	sockets.Spec
	block int   // distinguishes blocks of flows: see sockets.FlowsPerBlock
	turn  uint8 // distinguishes sockets that differ only in their id
}

// NewProber returns a Prober. It fails with a [*ConfigError] if cfg cannot be used. It
// opens no sockets: the first operation does, and returns any permission error.
func NewProber(cfg *Config) (*Prober, error) {
	p := &Prober{cfg: given(cfg), made: time.Now(), sum: uint16(rand.Uint32())}
	if err := p.cfg.validate(); err != nil {
		return nil, err
	}
	if p.cfg.Resolver == nil {
		p.cfg.Resolver = net.DefaultResolver
	}
	if p.cfg.Logger == nil {
		p.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p.life, p.end = context.WithCancelCause(context.Background())
	p.closed, p.pools = p.life.Done(), engine.NewPools(p.open, p.cfg.Logger)
	p.pacer = engine.NewPacer(max(p.cfg.Rate, 0))
	p.listen, p.routed = p.listenSocket, p.hasRoute
	p.crowd.Config = func() drive.Config { return p.driverConfig(drive.Config{}) }
	if p.cfg.Trace != nil {
		p.tracer = newTracer(p.cfg.Trace)
	}
	return p, nil
}

func (c *Config) validate() error {
	return cmp.Or(
		refuse(c.Mode > socket.Raw, "Mode", c.Mode, "socket.Auto, socket.Datagram or socket.Raw"),
		refuse(c.Source4.IsValid() && !c.Source4.Unmap().Is4(), "Source4", c.Source4, "an IPv4 address"),
		refuse(c.Source6.IsValid() && !c.Source6.Is6(), "Source6", c.Source6, "an IPv6 address"),
		refuse(c.Resolver != nil && c.Names != nil, "Resolver", c.Resolver, "nil where Names is set, which has a Resolver of its own"),
		validateInterface("Interface", c.Interface),
	)
}

// Resolve returns the addresses of a host, as the function [Resolve] does, using
// Config.Names or Config.Resolver: the same addresses that the other methods use. For
// [AnyFamily], a name's addresses are IPv4 if this host has a route to the first of them,
// with the source, interface and mark of the Config, and otherwise IPv6 if the name has
// any.
func (p *Prober) Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return p.resolveFor(ctx, name, family, &Packet{})
}

// resolveFor is Resolve for packets of a shape, whose source decides the family. A call
// resolves once and keeps the addresses: losing the route later is an outage and must not
// change the family.
func (p *Prober) resolveFor(ctx context.Context, name string, family Family, packet *Packet) ([]netip.Addr, error) {
	if family == AnyFamily && packet.Source.IsValid() {
		if _, err := netip.ParseAddr(name); err != nil {
			family = familyOf(packet.Source)
		}
	}
	return names.Reachable(name, names.Family(family), func(f names.Family) ([]netip.Addr, error) {
		return p.lookUp(ctx, name, Family(f))
	}, func(addr netip.Addr) bool { return p.routed(packet, addr) })
}

// hasRoute reports whether this host has a route to an address for packets of a shape.
func (p *Prober) hasRoute(packet *Packet, dst netip.Addr) bool {
	if p.other != nil {
		return true // a stand-in for the system has routes to all its addresses
	}
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return true // the operation will report the error
	}
	return key.Routed(dst)
}

// lookUp asks the name cache or the resolver.
func (p *Prober) lookUp(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	if err := validateFamily(family); err != nil {
		return nil, err
	}
	r, cache := names.Resolver(p.cfg.Resolver), p.cfg.Names
	switch {
	case p.other != nil && r == net.DefaultResolver:
		r = p.other
	case cache != nil:
		r = cache.Resolver
	}
	if cache != nil {
		return cache.resolve(ctx, r, name, family)
	}
	return names.Resolve(ctx, r, name, names.Family(family))
}

// validateInterface refuses an interface that does not exist.
func validateInterface(field, name string) error {
	if name == "" {
		return nil
	}
	if _, err := net.InterfaceByName(name); err != nil {
		return &ConfigError{Field: field, Value: name, Allowed: "the name of an interface of this host"}
	}
	return nil
}

// errNotMade is the error of the zero Prober, instead of a nil dereference.
var errNotMade = errors.New("the Prober was not made by NewProber, whose defaults and settings it lacks: call icmplib.NewProber")

// Close closes the sockets and ends the calls in flight with [net.ErrClosed]. When it
// returns, none of the Prober's goroutines is left. Further calls of Close do nothing.
func (p *Prober) Close() (err error) {
	if p.closed == nil {
		return errNotMade
	}
	p.ending.Do(func() {
		p.end(net.ErrClosed)
		err = p.pools.Close()
		p.crowd.Wait()
		if p.tracer != nil {
			p.tracer.end()
		}
	})
	return err
}

func init() {
	standin.Put = func(prober any, n standin.Network) {
		p := prober.(*Prober)
		p.other = n
		p.sum = 0 // the same flows, and so the same paths, each time
	}
}

// listenSocket opens the sockets for a key: those of the system, or a test's.
func (p *Prober) listenSocket(key socketKey) (engine.Medium, error) {
	if p.other != nil {
		return p.other.Listen(key.Spec)
	}
	return key.Open()
}

// target returns the address to probe for a name or an address, with packets of a shape.
func (p *Prober) target(ctx context.Context, name string, family Family, packet *Packet) (netip.Addr, error) {
	addrs, err := p.resolveFor(ctx, name, family, packet)
	if err != nil {
		return netip.Addr{}, err
	}
	return hosts.Target(addrs[0]), nil
}

// aim finds the address of a target, and the sockets for packets to it.
func (p *Prober) aim(ctx context.Context, target string, family Family, packet *Packet) (netip.Addr, *engine.Pool, error) {
	dst, err := p.target(ctx, target, family, packet)
	if err != nil {
		return netip.Addr{}, nil, err
	}
	pool, err := p.poolFor(packet, dst)
	return dst, pool, err
}

// poolFor returns the engines for packets of this shape to dst, or the reason why they
// cannot be opened.
func (p *Prober) poolFor(packet *Packet, dst netip.Addr) (*engine.Pool, error) {
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	return p.pool(key)
}

// open opens a socket for a key, with tracing if configured.
func (p *Prober) open(key socketKey) (engine.Medium, error) {
	m, err := p.listen(key)
	if err != nil {
		return nil, err
	}
	return p.traced(key, m), nil
}

// pool returns the engines for a key, and opens their first socket if necessary.
func (p *Prober) pool(key socketKey) (*engine.Pool, error) {
	if p.closed == nil {
		return nil, errNotMade
	}
	most := 0
	if p.cfg.ID != 0 && key.Protocol == icmp.ICMP {
		key.turn, most = 0, 1 // there is no other id
	}
	return p.pools.Get(key, most)
}

// shared is the Prober of the package's functions. The first call in flight opens it and
// the last one closes it, so that an idle program holds no sockets, and every burst of
// calls has new ids.
var shared lease.Lease[*Prober]

func enterShared() (*Prober, error) {
	return shared.Enter(func() (*Prober, error) { return NewProber(nil) })
}

// leaveShared ends a use of the shared Prober. It ignores the error of Close: no caller
// waits for it, and no data is lost.
func leaveShared() { shared.Leave(func(p *Prober) { _ = p.Close() }) }

// withShared makes a call with the shared Prober, which stays open meanwhile.
func withShared[T any](call func(*Prober) (T, error)) (result T, err error) {
	p, err := enterShared()
	if err != nil {
		return result, err
	}
	defer leaveShared()
	return call(p)
}

// overShared runs a loop over the shared Prober, which stays open meanwhile.
func overShared[T any](over func(*Prober) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p, err := enterShared()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		defer leaveShared()
		over(p)(yield)
	}
}

// Counters counts what a [Prober] has sent and received since it was made, over all
// operations. At any time, PacketsSent is the sum of PacketsReceived, ICMPErrors, Silent
// and the probes in flight. (Unlike in [Stats], a probe that is answered late stays in
// Silent: Late is a part of Silent here.)
type Counters struct {
	PacketsSent     uint64 // probes that the kernel accepted
	PacketsReceived uint64 // answers of targets that came in time
	ICMPErrors      uint64 // probes that met an ICMP error, port unreachable of UDP included
	Silent          uint64 // probes without an answer in time
	Late            uint64 // of the silent ones: answered after their deadline
	Duplicates      uint64 // further answers to a probe that had been answered
	Altered         uint64 // replies to a probe of ours, but without its payload
	Advised         uint64 // redirects, quenches and parameter problems about probes of ours, and errors that a reply in time corrected
	Foreign         uint64 // messages about no probe of ours
	Malformed       uint64 // messages that could not be read
	Dropped         uint64 // messages for which our sockets had no room: our own loss; 0 if the system does not report it
	Busy            uint64 // how often sending waited because the kernel had no room
}

// Counters returns the counts so far, and after Close the final ones.
func (p *Prober) Counters() Counters {
	if p.closed == nil {
		return Counters{}
	}
	return Counters(p.pools.Counters())
}

// Capability is one way to send probes, and whether this process may use it.
type Capability struct {
	Protocol Protocol    // of the probes
	Family   Family      // IPv4 or IPv6
	Mode     socket.Mode // Datagram needs no privilege, Raw does

	// Err is the obstacle and its remedy, or nil if there is none.
	Err error
}

// Capabilities is what this process may do at the moment.
type Capabilities struct {
	// Sockets has an entry for each protocol, family and kind of socket.
	Sockets []Capability

	// Mark is the obstacle to a routing mark (Config.Mark), or nil if there is none.
	Mark error
}

// Can returns nil if probes of a protocol and family can be sent by any kind of socket, and
// otherwise the obstacle for the kind that needs the least privilege. For [AnyFamily], one
// of the two families suffices. For combinations that are not in Sockets it returns
// [errors.ErrUnsupported].
func (c Capabilities) Can(p Protocol, f Family) error {
	var first error
	for _, s := range c.Sockets {
		switch {
		case s.Protocol != p || f != AnyFamily && s.Family != f:
		case s.Err == nil:
			return nil
		default:
			first = cmp.Or(first, s.Err)
		}
	}
	return cmp.Or(first, fmt.Errorf("%v over %v: %w", p, f, errors.ErrUnsupported))
}

// Capabilities finds out what this process may do, by opening a socket of each kind and
// closing it. It sends nothing. It considers the Prober's source addresses and interface,
// but not its Mode.
func (p *Prober) Capabilities() Capabilities {
	var c Capabilities
	for _, protocol := range []Protocol{ICMP, UDP, TCP, SCTP} {
		for _, family := range []Family{IPv4, IPv6} {
			for _, mode := range []socket.Mode{socket.Datagram, socket.Raw} {
				c.Sockets = append(c.Sockets, Capability{protocol, family, mode, p.try(protocol, family, mode, 0)})
			}
		}
	}
	c.Mark = p.tryMark()
	return c
}

// try opens sockets and closes them.
func (p *Prober) try(protocol Protocol, family Family, mode socket.Mode, mark uint32) error {
	alone := Prober{cfg: p.cfg, other: p.other}
	alone.cfg.Mode, alone.cfg.Mark = mode, mark
	key, err := (&Packet{Protocol: protocol}).key(&alone.cfg, names.Loopback(names.Family(family)))
	if err != nil {
		return err
	}
	medium, err := alone.listenSocket(key)
	if err != nil {
		return err
	}
	return medium.Close()
}

// tryMark tries a mark on the sockets that are available.
func (p *Prober) tryMark() error {
	const anyMark = 1
	err := p.try(ICMP, IPv4, socket.Auto, anyMark)
	if err == nil || p.try(ICMP, IPv4, socket.Auto, 0) == nil {
		return err
	}
	return p.try(UDP, IPv4, socket.Datagram, anyMark)
}

// isOwnError reports whether this host itself refuses a probe to another one: the ICMP
// error is from one of its own addresses. A time exceeded never counts, because a host does
// not forward the packets that it sends itself.
func (p *Prober) isOwnError(r *Result) bool {
	switch r.Status {
	case StatusUnreachable, StatusRefused, StatusPacketTooBig, StatusParameterProblem:
	default:
		return false
	}
	if r.Type == 0 || p.other != nil { // a stand-in for the system is another host
		return false
	}
	now := time.Now()
	return p.own.Has(r.Responder, now) && !p.own.Has(r.Dst, now)
}

// LogValue returns the counters that are not 0.
func (c Counters) LogValue() slog.Value {
	var a fields.Attrs
	for _, count := range [...]struct {
		key string
		n   uint64
	}{
		{"sent", c.PacketsSent}, {"received", c.PacketsReceived}, {"errors", c.ICMPErrors}, {"silent", c.Silent}, {"late", c.Late},
		{"duplicates", c.Duplicates}, {"altered", c.Altered}, {"advised", c.Advised}, {"foreign", c.Foreign},
		{"malformed", c.Malformed}, {"dropped", c.Dropped}, {"busy", c.Busy},
	} {
		if count.n > 0 {
			a = append(a, slog.Uint64(count.key, count.n))
		}
	}
	return a.Group()
}
