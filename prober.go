package icmplib

import (
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
	"github.com/goicmp/icmplib/internal/standin"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Config is how a [Prober] sends. Nil and the zero value mean all defaults.
type Config struct {
	// Mode is the kind of socket. The default is [socket.Auto]: a datagram
	// socket where the system allows it, which takes no privilege, else a raw
	// one.
	Mode socket.Mode

	// Source4 and Source6 are the local addresses to send from. By default the
	// system chooses one for each destination.
	Source4 netip.Addr
	Source6 netip.Addr

	// Interface is the name of the interface to send and receive on. The
	// default is the one to which the system routes each destination. While there
	// is none of that name, what cannot be sent is a result (StatusNetworkDown);
	// when there is one again, it is used.
	Interface string

	// Mark is the routing mark (SO_MARK) of what is sent; 0 means none. Linux
	// only, with CAP_NET_ADMIN or CAP_NET_RAW.
	Mark uint32

	// Rate limits the packets per second of all operations together. The
	// default is no limit, and so is a negative value. (A MultiPing has a rate
	// of its own, which is limited by default.)
	Rate int

	// SendTimestamps has the kernel stamp each ICMP probe as its network driver
	// gets it, so that the RTT contains nothing of the time that the probe took
	// to get there. Not every RTT can be measured so: [Result.RTTSource] tells.
	// The default is not to, for it costs 1 to 3 µs of processor time per probe.
	// Linux 4.0 and later only; elsewhere operations fail with
	// errors.ErrUnsupported. It has no effect on probes of other protocols.
	SendTimestamps bool

	// Resolver looks names up. The default is [net.DefaultResolver].
	Resolver *net.Resolver

	// Names, if not nil, remembers what names were resolved to. The default
	// looks a name up for each operation. It has a Resolver of its own.
	Names *NameCache

	// Trace, if not nil, is told of each packet that leaves and each that comes, and of
	// what became of the probes: to make spans of them, to record them, to see why an
	// answer was not credited. It is called on a goroutine of its own, one event after
	// the other, until Close has returned; it may not call Close. What the kernel and the
	// sockets filter out, such as the replies to other programs, is not told. Nil, the
	// default, costs nothing.
	Trace func(TraceEvent)

	// Logger is told of what is wrong with the machine, such as a socket that
	// cannot be read, and never of what is wrong with a target. The default is
	// silence.
	Logger *slog.Logger
}

// A Prober is the engine that all operations share: it holds the sockets, gives
// each probe an identity of its own, and credits what comes back to the probe
// that it answers.
//
// Its sockets are opened when they are first needed, one for each family and
// each combination of socket-wide options in use (protocol, source, interface,
// mark, don't-fragment, broadcast), and shared by any number of operations. When
// nearly 65,536 probes are in flight on one of them, which is all that an id can
// tell apart, another is opened beside it. It keeps them, and the network
// namespace in which they were opened, until it is closed.
//
// It remembers from which other addresses hosts have echo-replied, the last 4096: those
// are the target's own where they answer a UDP probe ([StatusReply], else
// [StatusRefused]).
//
// A Prober is safe for concurrent use. It is made by [NewProber]; the zero value
// cannot be used, and says so.
type Prober struct {
	cfg     Config
	pacer   *engine.Pacer
	listen  listenFunc
	other   standin.Network                // in place of the system; nil: the system
	routed  func(*Packet, netip.Addr) bool // hasRoute; tests have networks of their own
	locks   drive.Locks
	aliases aliases
	buffers *engine.Budget // of receive buffers that grow
	tracer  *tracer        // nil without Config.Trace
	sum     uint16         // of echo requests: see engine.OpConfig. At random, so that it proves something

	closed chan struct{} // by Close
	made   time.Time     // when NewProber made it

	mu     sync.Mutex
	ending bool // Close has been called
	pools  map[socketKey]*engine.Pool
	final  Counters // what was counted by pools that are gone
}

// receiveBudget bounds what the receive buffers of a Prober's sockets grow to
// together, as the kernel counts.
const receiveBudget = 32 << 20

// listenFunc opens the socket for a key; tests put a simulated network here.
type listenFunc func(socketKey) (engine.Medium, error)

// socketKey is what the packets of one socket have in common.
type socketKey struct {
	protocol     Protocol
	port         uint16 // source port; 0: any
	ports        int    // how many, for as many flows; 0: 1
	block        int    // tells such sockets apart: see flowsPerBlock
	version      icmp.Version
	source       netip.Addr
	device       string
	mark         uint32
	dontFragment bool
	broadcast    bool
	turn         uint8 // tells sockets apart that differ in nothing but their id
}

// NewProber returns a Prober. It fails with a [*ConfigError] if cfg cannot be
// used; sockets, and the permission to open them, come with the first operation.
func NewProber(cfg *Config) (*Prober, error) {
	p := &Prober{pools: map[socketKey]*engine.Pool{}, closed: make(chan struct{}), made: time.Now(), sum: uint16(rand.Uint32())}
	if cfg != nil {
		p.cfg = *cfg
	}
	if err := p.cfg.validate(); err != nil {
		return nil, err
	}
	if p.cfg.Resolver == nil {
		p.cfg.Resolver = net.DefaultResolver
	}
	if p.cfg.Logger == nil {
		p.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p.buffers = engine.NewBudget(receiveBudget)
	p.pacer = engine.NewPacer(max(p.cfg.Rate, 0))
	p.listen, p.routed = p.listenSocket, p.hasRoute
	if p.cfg.Trace != nil {
		p.tracer = newTracer(p.cfg.Trace)
	}
	return p, nil
}

func (c *Config) validate() error {
	switch {
	case c.Mode > socket.Raw:
		return &ConfigError{Field: "Mode", Value: c.Mode, Allowed: "socket.Auto, socket.Datagram or socket.Raw"}
	case c.Source4.IsValid() && !c.Source4.Unmap().Is4():
		return &ConfigError{Field: "Source4", Value: c.Source4, Allowed: "an IPv4 address"}
	case c.Source6.IsValid() && !c.Source6.Is6():
		return &ConfigError{Field: "Source6", Value: c.Source6, Allowed: "an IPv6 address"}
	case c.Resolver != nil && c.Names != nil:
		return &ConfigError{Field: "Resolver", Value: c.Resolver, Allowed: "nil where Names is set, which has a Resolver of its own"}
	}
	return validateInterface("Interface", c.Interface)
}

// Resolve returns the addresses of a host, as the function [Resolve] does, by
// Config.Names or Config.Resolver: those that the Prober's other methods use. For
// [AnyFamily] the addresses of a name are IPv4 ones where this host has a route to
// the first of them, with the source, interface and mark of the Config, else IPv6
// ones where the name has such.
func (p *Prober) Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return p.resolveFor(ctx, name, family, &Packet{})
}

// resolveFor is Resolve for packets of a shape, whose own source decides the family
// of a name. A call asks once and keeps the answer: a route that is lost later is an
// outage, and no reason to change the family.
func (p *Prober) resolveFor(ctx context.Context, name string, family Family, packet *Packet) ([]netip.Addr, error) {
	if _, err := netip.ParseAddr(name); err == nil || family != AnyFamily {
		return p.lookUp(ctx, name, family)
	}
	if packet.Source.IsValid() {
		return p.lookUp(ctx, name, familyOf(packet.Source))
	}
	addrs, err := p.lookUp(ctx, name, AnyFamily)
	if err != nil || !addrs[0].Is4() || p.routed(packet, addrs[0]) {
		return addrs, err
	}
	if others, err := p.lookUp(ctx, name, IPv6); err == nil {
		return others, nil
	}
	return addrs, nil // the operation says that there is no route
}

// hasRoute reports whether this host has a route to an address for packets of a shape.
func (p *Prober) hasRoute(packet *Packet, dst netip.Addr) bool {
	if p.other != nil {
		return true // what stands in for the system has routes to all that it knows
	}
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return true // the operation says what is wrong
	}
	return transport.Routed(transport.Config{Version: key.version, Source: key.source, Interface: key.device, Mark: key.mark}, dst)
}

// lookUp asks what knows names.
func (p *Prober) lookUp(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	names := p.cfg.Names
	switch {
	case p.other == nil && names != nil:
		return names.Resolve(ctx, name, family)
	case names != nil:
		return names.resolve(ctx, p.other, name, family)
	case p.other != nil && p.cfg.Resolver == net.DefaultResolver:
		return resolve(ctx, p.other, name, family)
	}
	return resolve(ctx, p.cfg.Resolver, name, family)
}

// validateInterface refuses an interface that is not there.
func validateInterface(field, name string) error {
	if name == "" {
		return nil
	}
	if _, err := net.InterfaceByName(name); err != nil {
		return &ConfigError{Field: field, Value: name, Allowed: "the name of an interface of this host"}
	}
	return nil
}

// errNotMade is what the zero Prober says instead of failing at nil.
var errNotMade = errors.New("the Prober was not made by NewProber, whose defaults and settings it lacks: call icmplib.NewProber")

// Close closes the sockets and ends the calls in flight with [net.ErrClosed].
// When it returns, nothing of the Prober runs any more. Further calls of Close
// do nothing.
func (p *Prober) Close() error {
	p.mu.Lock()
	if p.ending {
		p.mu.Unlock()
		return nil
	}
	if p.closed == nil {
		p.mu.Unlock()
		return errNotMade
	}
	p.ending = true
	pools := p.pools // nothing is added to them any more
	close(p.closed)
	p.mu.Unlock()

	var errs []error
	var sum Counters
	for _, pool := range pools {
		errs = append(errs, pool.Close())
		sum.add(pool.Counters())
	}
	p.tracer.end()
	// Both at once, so that Counters misses nothing and counts nothing twice.
	p.mu.Lock()
	defer p.mu.Unlock()
	sum.merge(&p.final) // of queries, which have no pool
	p.pools, p.final = nil, sum
	return errors.Join(errs...)
}

func init() {
	standin.Put = func(prober any, n standin.Network) {
		p := prober.(*Prober)
		p.other = n
		p.sum = 0 // the same flows, and so the same ways, each time
	}
}

// sendPaced sends probes at the Prober's rate, and calls refuse for each that the system
// does not take. An error is the end of the operation; n are the probes before it.
func (p *Prober) sendPaced(ctx context.Context, pool *engine.Pool, op *engine.Op, probes []engine.Probe, refuse func(i int, err error)) (n int, err error) {
	for n < len(probes) {
		together := p.pacer.Batch(len(probes) - n)
		if err := p.pacer.Wait(ctx, together); err != nil {
			return n, err
		}
		sent, err := pool.Send(ctx, op, probes[n:n+together])
		n += sent
		if err == nil {
			continue
		}
		if wasStopped(ctx, err) {
			return n, err
		}
		refuse(n, err)
		n++
	}
	return n, nil
}

// listenSocket opens the sockets for a key: those of the system, or of what
// stands in for it.
func (p *Prober) listenSocket(key socketKey) (engine.Medium, error) {
	if p.other != nil {
		return p.other.Listen(standin.Socket{
			Version:      key.version,
			Protocol:     key.protocol.number(),
			Mode:         p.cfg.Mode,
			Source:       key.source,
			Interface:    key.device,
			Mark:         key.mark,
			DontFragment: key.dontFragment,
			FirstPort:    key.port,
			Ports:        key.ports,
		})
	}
	if key.protocol != ICMP {
		return p.listenTransport(key)
	}
	cfg := &socket.Config{
		Mode:         p.cfg.Mode,
		Source:       key.source,
		Interface:    key.device,
		Mark:         key.mark,
		DontFragment: key.dontFragment,

		SendTimestamps: p.cfg.SendTimestamps,
	}
	if key.version == icmp.V4 {
		return listenICMPv4(cfg, key.broadcast)
	}
	s, err := socket.ListenICMPv6(cfg)
	if err != nil {
		return nil, err
	}
	return engine.OverEcho(s), nil
}

func listenICMPv4(cfg *socket.Config, broadcast bool) (engine.Medium, error) {
	s, err := socket.ListenICMPv4(cfg)
	if err != nil {
		return nil, err
	}
	if broadcast {
		if err := s.SetBroadcast(true); err != nil {
			s.Close()
			return nil, err
		}
	}
	return engine.OverEcho(s), nil
}

// listenTransport opens sockets for UDP, TCP or SCTP. In mode Auto those are raw
// ones where they are allowed.
func (p *Prober) listenTransport(key socketKey) (engine.Medium, error) {
	conn, err := transport.Listen(transport.Config{
		Version:      key.version,
		Protocol:     key.protocol.number(),
		Mode:         p.cfg.Mode,
		Source:       key.source,
		Interface:    key.device,
		Mark:         key.mark,
		DontFragment: key.dontFragment,
		FirstPort:    key.port,
		Ports:        key.ports,
	})
	if err != nil {
		return nil, err
	}
	return engine.OverTransport(conn), nil
}

// aim finds the address of a target, and the sockets for packets to it.
func (p *Prober) aim(ctx context.Context, target string, family Family, packet *Packet) (netip.Addr, *engine.Pool, error) {
	addrs, err := p.resolveFor(ctx, target, family, packet)
	if err != nil {
		return netip.Addr{}, nil, err
	}
	dst := thisHost(addrs[0])
	pool, err := p.poolFor(packet, dst)
	return dst, pool, err
}

// poolFor returns the engines for packets of this shape to dst, or why there can
// be none.
func (p *Prober) poolFor(packet *Packet, dst netip.Addr) (*engine.Pool, error) {
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	return p.pool(key)
}

// open opens a socket for a key, whose packets are told of if that is wanted.
func (p *Prober) open(key socketKey) (engine.Medium, error) {
	m, err := p.listen(key)
	if err != nil {
		return nil, err
	}
	return p.traced(key, m), nil
}

// pool returns the engines for a key, and opens their first socket if need be.
func (p *Prober) pool(key socketKey) (*engine.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ending:
		return nil, net.ErrClosed
	case p.closed == nil:
		return nil, errNotMade
	}
	if pool := p.pools[key]; pool != nil {
		return pool, nil
	}
	pool, err := engine.NewPool(func() (engine.Medium, error) { return p.open(key) }, p.cfg.Logger, p.buffers)
	if err != nil {
		return nil, err
	}
	p.pools[key] = pool
	return pool, nil
}

// shared is the Prober of the package's functions. The first call in flight
// opens it and the last one closes it, so that a program that is idle holds no
// sockets, and every burst of calls draws new ids.
var shared struct {
	mu    sync.Mutex
	users int
	p     *Prober
}

// acquireShared returns the shared Prober, and a function that gives it back.
func acquireShared() (p *Prober, release func(), err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users == 0 {
		if shared.p, err = NewProber(nil); err != nil {
			return nil, nil, err
		}
	}
	shared.users++
	return shared.p, releaseShared, nil
}

func releaseShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.users--
	if shared.users > 0 {
		return
	}
	// Nobody waits for the outcome, and nothing was lost that could be kept.
	_ = shared.p.Close()
	shared.p = nil
}

// overShared is what over makes of the shared Prober, which is held while a
// loop runs.
func overShared[T any](over func(*Prober) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p, release, err := acquireShared()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		defer release()
		over(p)(yield)
	}
}

// Counters counts what a [Prober] has sent and received since it was made, over
// all its operations. PacketsSent is at any time the sum of PacketsReceived,
// ICMPErrors, Silent and what is in flight. (Unlike in [Stats], a late answer
// leaves its probe among the silent ones: Late is a part of Silent here.)
type Counters struct {
	PacketsSent     uint64 // probes that the kernel took
	PacketsReceived uint64 // answers of targets that came in time
	ICMPErrors      uint64 // probes that met an ICMP error, port unreachable of UDP included
	Silent          uint64 // probes to which nothing came in time
	Late            uint64 // of the silent ones: answered after their deadline
	Duplicates      uint64 // further answers to a probe that had been answered
	Altered         uint64 // replies to a probe of ours, but without its payload
	Advised         uint64 // redirects, quenches and parameter problems about probes of ours, and errors that a reply in time corrected
	Foreign         uint64 // messages about no probe of ours
	Malformed       uint64 // messages that could not be read
	Dropped         uint64 // messages that our sockets had no room for: loss of our own making; 0 where the system does not say
	Busy            uint64 // times that the kernel had no room and sending waited
}

// Counters returns what was counted so far; after Close, what was counted until
// then.
func (p *Prober) Counters() Counters {
	p.mu.Lock()
	sum := p.final
	pools := make([]*engine.Pool, 0, len(p.pools))
	for _, pool := range p.pools {
		pools = append(pools, pool)
	}
	p.mu.Unlock()
	for _, pool := range pools {
		sum.add(pool.Counters())
	}
	return sum
}

// merge adds what was counted elsewhere.
func (c *Counters) merge(o *Counters) {
	c.add(engine.Counters{
		Sent: o.PacketsSent, Replied: o.PacketsReceived, Failed: o.ICMPErrors, Silent: o.Silent, Malformed: o.Malformed, Dropped: o.Dropped,
	})
}

func (c *Counters) add(o engine.Counters) {
	c.PacketsSent += o.Sent
	c.PacketsReceived += o.Replied
	c.ICMPErrors += o.Failed
	c.Silent += o.Silent
	c.Late += o.Late
	c.Duplicates += o.Duplicates
	c.Altered += o.Altered
	c.Advised += o.Advised
	c.Foreign += o.Foreign
	c.Malformed += o.Malformed
	c.Dropped += o.Dropped
	c.Busy += o.Busy
}

// Capability is one way of sending probes, and whether this process has it.
type Capability struct {
	Protocol Protocol    // what the probes are made of
	Family   Family      // IPv4 or IPv6
	Mode     socket.Mode // Datagram takes no privilege, Raw does

	// Err is what stands in the way, and says how to remove it; nil if nothing
	// does.
	Err error
}

// Capabilities is what this process may do now.
type Capabilities struct {
	// Sockets has an entry for each protocol, family and kind of socket.
	Sockets []Capability

	// Mark is what stands in the way of a routing mark (Config.Mark); nil if
	// nothing does.
	Mark error
}

// Can returns nil if probes of a protocol and family can be sent by any kind of
// socket, else what stands in the way of the kind that takes least. For
// [AnyFamily] one of the two is enough. Of what is not among Sockets it says
// [errors.ErrUnsupported].
func (c Capabilities) Can(p Protocol, f Family) error {
	var first error
	for _, s := range c.Sockets {
		if s.Protocol != p || f != AnyFamily && s.Family != f {
			continue
		}
		if s.Err == nil {
			return nil
		}
		if first == nil {
			first = s.Err
		}
	}
	if first == nil {
		return fmt.Errorf("%v over %v: %w", p, f, errors.ErrUnsupported)
	}
	return first
}

// Capabilities finds out what this process may do, by opening a socket of each
// kind and closing it. Nothing is sent. It goes by the Prober's source
// addresses and interface, and not by its Mode.
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
	key, err := (&Packet{Protocol: protocol}).key(&alone.cfg, loopback(family))
	if err != nil {
		return err
	}
	medium, err := alone.listenSocket(key)
	if err != nil {
		return err
	}
	return medium.Close()
}

// tryMark tries a mark on the sockets that can be had.
func (p *Prober) tryMark() error {
	const anyMark = 1
	err := p.try(ICMP, IPv4, socket.Auto, anyMark)
	if err == nil || p.try(ICMP, IPv4, socket.Auto, 0) == nil {
		return err
	}
	return p.try(UDP, IPv4, socket.Datagram, anyMark)
}
