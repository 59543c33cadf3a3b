package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/sys"
)

// conn implements ICMPv4 and ICMPv6, except for the few options that only one of
// them has.
type conn struct {
	version icmp.Version
	mode    Mode
	id      uint16
	local   netip.Addr
	device  uint32 // the index of the interface that the socket is bound to; 0: none
	link    *link  // the system's part: one file per system
	zones   netio.Zones
	types   *typeSet // Config.Types
	stamped bool     // Config.SendTimestamps

	broadcast atomic.Bool

	sendMu sync.Mutex
	buf    []byte // the encoded messages of a batch, one after another
	ends   []int  // the offset in buf at which each of them ends
	out    []sys.Outbound

	receiving netio.ContextMutex
	in        sys.Inbound
	single    [1]icmp.Reply

	deadline netio.Deadline

	malformed, foreign atomic.Uint64
}

// Counters counts messages that a socket did not hand out.
type Counters struct {
	Dropped   uint64 // lost on this host, because the kernel's receive buffer was full; 0 if the system does not report it
	Malformed uint64 // malformed ICMP messages
	Foreign   uint64 // messages with another id or type that the kernel's filter let through
}

// listen opens a socket in the configured mode, or in Auto in the first mode that works.
func listen(v icmp.Version, cfg *Config) (*conn, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	ifi, err := cfg.validate(v)
	if err != nil {
		return nil, err
	}
	if cfg.Mode != Auto {
		return listenMode(v, cfg.Mode, cfg, ifi)
	}
	for _, t := range cfg.Types {
		if !datagramReceives(t) {
			return listenMode(v, Raw, cfg, ifi)
		}
	}
	c, datagramErr := listenMode(v, Datagram, cfg, ifi)
	if datagramErr == nil {
		return c, nil
	}
	c, rawErr := listenMode(v, Raw, cfg, ifi)
	if rawErr == nil {
		return c, nil
	}
	return nil, joinListenErrors(datagramErr, rawErr)
}

// joinListenErrors reports why neither mode works. It states a cause that both modes
// share, such as an address that this host does not have, only once.
func joinListenErrors(datagram, raw error) error {
	if errors.Is(raw, os.ErrPermission) && !errors.Is(datagram, os.ErrPermission) {
		return datagram // permission is not the problem
	}
	var d, r *OpError
	if errors.As(datagram, &d) && errors.As(raw, &r) && d.Err.Error() == r.Err.Error() {
		return &OpError{Op: d.Op, Mode: Auto, Addr: d.Addr, V: d.V, Err: d.Err}
	}
	return errors.Join(datagram, raw)
}

func listenMode(v icmp.Version, mode Mode, cfg *Config, ifi *net.Interface) (*conn, error) {
	c := &conn{version: v, mode: mode, local: cfg.Source, types: newTypeSet(cfg.Types), stamped: cfg.SendTimestamps,
		receiving: netio.NewContextMutex()}
	if err := c.open(cfg, ifi); err != nil {
		return nil, &OpError{Op: opListen, Mode: mode, Addr: cfg.Source, V: v, Err: explainListen(mode, cfg, err)}
	}
	return c, nil
}

// open opens the link and sets the id.
func (c *conn) open(cfg *Config, ifi *net.Interface) (err error) {
	zone, err := c.zones.Index(cfg.Source.Zone())
	if err != nil {
		return err
	}
	if c.keepsID() {
		if c.id, err = reserveID(c.version, cfg.ID); err != nil {
			return err
		}
	}
	c.link, err = openLink(linkConfig{Config: cfg, version: c.version, mode: c.mode, id: c.id, ifi: ifi, zone: zone})
	if err != nil {
		c.releaseID()
		return err
	}
	if c.device = zone; ifi != nil {
		c.device = uint32(ifi.Index)
	}
	c.deadline.Apply = c.link.setReadDeadline
	if c.id == 0 {
		c.id = c.link.id
	}
	return nil
}

// keepsID reports whether this process, not the kernel, must keep the id unique.
func (c *conn) keepsID() bool { return c.mode == Raw || !kernelKeepsID }

func (c *conn) releaseID() {
	if c.keepsID() {
		releaseID(c.version, c.id)
	}
}

func (c *conn) close() error {
	err := c.link.close()
	if err == nil {
		c.releaseID()
	}
	return err
}

// errNotMade is the error of a socket that no function of this package has opened. Of
// such a socket, the methods below return zero values.
var errNotMade = errors.New("the socket was not opened: call socket.Listen, ListenICMPv4 or ListenICMPv6")

func (c *conn) kind() Mode {
	if c == nil {
		return Auto
	}
	return c.mode
}

func (c *conn) ident() uint16 {
	if c == nil {
		return 0
	}
	return c.id
}

func (c *conn) drained() time.Time {
	if c == nil {
		return time.Time{}
	}
	return c.link.drained.Time()
}

func (c *conn) backlog() float64 {
	if c == nil {
		return 0
	}
	return c.link.backlog()
}

func (c *conn) counters() Counters {
	if c == nil {
		return Counters{}
	}
	return Counters{Dropped: c.link.drops(), Malformed: c.malformed.Load(), Foreign: c.foreign.Load()}
}

func (c *conn) localAddr() netip.Addr {
	if c == nil {
		return netip.Addr{}
	}
	if c.local.IsValid() {
		return c.local
	}
	return c.version.Unspecified()
}

func (c *conn) opError(op string, addr netip.Addr, err error) error {
	return &OpError{Op: op, Mode: c.mode, Addr: addr, V: c.version, Err: err}
}

// IsBusy reports whether a send failed because the kernel had no room for the packet at
// that moment, or no descriptor for a probe with its own socket. The packet was not sent:
// try again a little later.
func IsBusy(err error) bool {
	for _, busy := range [...]syscall.Errno{syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, busy) {
			return true
		}
	}
	return false
}

const (
	maxBatch = 64 // datagrams per system call

	// flushBytes ends a batch of large messages early, to keep the buffer for
	// the encoded messages small.
	flushBytes = 256 << 10
)

// send sends one request. If the send buffer is full, it waits for room.
func (c *conn) send(ctx context.Context, req *icmp.Request) error {
	if req == nil {
		return &ConfigError{Field: "req", Allowed: "a request with a Destination"}
	}
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.reset()
	if err := c.encode(req); err != nil {
		return err
	}
	c.out[0].Data = c.buf
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err := c.link.send(c.out)
		req.Time = c.out[0].Sent
		if err == nil || !IsBusy(err) {
			return c.sendError(req.Destination, err)
		}
		if err := c.link.waitWritable(ctx); err != nil {
			return c.sendError(req.Destination, err)
		}
	}
}

// sendBatch sends requests in order, without waiting for room.
func (c *conn) sendBatch(reqs []icmp.Request) (int, error) {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	done := 0
	for done < len(reqs) {
		encodeErr := c.encodeBatch(reqs[done:])
		sent, err := c.link.send(c.out)
		for i := range sent {
			reqs[done+i].Time = c.out[i].Sent
		}
		done += sent
		switch {
		case err != nil:
			return done, c.sendError(reqs[done].Destination, err)
		case encodeErr != nil:
			return done, encodeErr
		}
	}
	return done, nil
}

// encodeBatch encodes the requests that go out together. It stops at an invalid
// request and returns its error.
func (c *conn) encodeBatch(reqs []icmp.Request) (err error) {
	c.reset()
	for i := 0; i < min(len(reqs), maxBatch) && len(c.buf) <= flushBytes && err == nil; i++ {
		err = c.encode(&reqs[i])
	}
	start := 0
	for i, end := range c.ends {
		c.out[i].Data, start = c.buf[start:end], end
	}
	return err
}

func (c *conn) reset() { c.buf, c.ends, c.out = c.buf[:0], c.ends[:0], c.out[:0] }

// encode appends the request's message to c.buf and its description to c.out,
// whose Data is filled in when c.buf no longer moves.
func (c *conn) encode(req *icmp.Request) error {
	to := req.Destination.Unmap()
	if !to.IsValid() || to.Is4() != (c.version == icmp.V4) {
		return &ConfigError{Field: "Destination", Value: req.Destination, Allowed: "an " + c.version.String() + " address"}
	}
	zone, err := c.zones.Index(to.Zone())
	if err != nil {
		// The interface may have existed, and may come back.
		return c.sendError(req.Destination, syscall.ENODEV)
	}
	if zone != 0 && c.device != 0 && zone != c.device {
		// A raw socket would send into the zone, but receive nothing from it.
		return c.sendError(req.Destination, syscall.EINVAL)
	}
	if err := c.identify(req); err != nil {
		return err
	}
	if c.buf, err = req.Append(c.buf); err != nil {
		return err
	}
	out := sys.Outbound{To: to.WithZone(""), Zone: zone, Timeout: req.Timeout}
	out.Differ(req.TTL, icmp.DefaultTTL, req.TrafficClass)
	c.out, c.ends = append(c.out, out), append(c.ends, len(c.buf))
	return nil
}

// identify gives a request the id of this socket, if its type has one.
func (c *conn) identify(req *icmp.Request) error {
	req.ID = c.id
	m := req.Message
	switch {
	case m == nil:
		return nil
	case c.mode == Datagram && !datagramSends(m):
		return &ConfigError{Field: "Message", Value: m.Type, Allowed: "with a datagram socket: an echo request, and on Linux an extended echo request; others need a raw socket"}
	case m.Type.IsEchoRequest():
		m.ID = c.id
	case c.stamped: // departures are stored by the sequence numbers of echo requests
		return &ConfigError{Field: "Message", Value: m.Type, Allowed: "an echo request where SendTimestamps is set"}
	case m.Type.HasID() && len(m.Payload) >= 2:
		binary.BigEndian.PutUint16(m.Payload, c.id)
	}
	return nil
}

// sendError wraps err, with the remedy if one is known.
func (c *conn) sendError(to netip.Addr, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.EACCES) && c.version == icmp.V4 && !c.broadcast.Load() && IsBroadcast(to.Unmap()) {
		err = fmt.Errorf("%w: %w", ErrBroadcast, err)
	}
	if !IsBusy(err) {
		err = c.lookAround(to, denySend(err))
	}
	return c.opError(opSend, to, err)
}

// lookAround checks, after a failed send, whether interfaces have changed.
func (c *conn) lookAround(to netip.Addr, err error) error {
	if to.Zone() != "" {
		c.zones.Forget()
	}
	if c.device != 0 && !c.link.hasInterface(c.device) {
		return fmt.Errorf("%w: %w", ErrInterfaceGone, err)
	}
	return err
}

// receive returns the first reply that answers req, or with a nil req the first reply.
func (c *conn) receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error) {
	if err := c.receiving.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.receiving.Unlock()
	for {
		if _, err := c.read(ctx, c.single[:]); err != nil {
			return nil, err
		}
		if req == nil || req.Answers(&c.single[0]) {
			return c.single[0].Clone(), nil
		}
	}
}

func (c *conn) receiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	if len(replies) == 0 {
		return 0, nil
	}
	if err := c.receiving.Lock(ctx); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	return c.read(ctx, replies)
}

// read waits until there is at least one message for this socket.
func (c *conn) read(ctx context.Context, replies []icmp.Reply) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if ctx.Done() != nil {
		defer c.deadline.InterruptAt(ctx)()
	}
	for {
		n, err := c.link.receive(min(len(replies), maxBatch))
		if err != nil {
			return 0, c.receiveError(ctx, err)
		}
		if kept := c.decodeAll(n, replies); kept > 0 {
			return kept, nil
		}
	}
}

// receiveNow is receiveBatch without waiting.
func (c *conn) receiveNow(replies []icmp.Reply) (int, error) {
	if err := c.receiving.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	for kept := 0; kept == 0 && len(replies) > 0; {
		n, err := c.link.receiveNow(min(len(replies), maxBatch))
		if err != nil || n == 0 {
			return 0, c.receiveError(context.Background(), err)
		}
		if kept = c.decodeAll(n, replies); kept > 0 {
			return kept, nil
		}
	}
	return 0, nil
}

// decodeAll reads the n datagrams of the last look into replies, and returns how
// many of them to hand out.
func (c *conn) decodeAll(n int, replies []icmp.Reply) (kept int) {
	for i := range n {
		c.link.datagram(i, &c.in)
		if c.decode(&c.in, &replies[kept]) {
			kept++
		}
	}
	inOrder(replies[:kept])
	return kept
}

// inOrder sorts messages by their arrival, because the error queue is read after the
// receive queue, and the meaning of an answer depends on the messages before it.
func inOrder(replies []icmp.Reply) {
	for i := 1; i < len(replies); i++ {
		if replies[i].Time.Before(replies[i-1].Time) {
			slices.SortStableFunc(replies, func(a, b icmp.Reply) int { return a.Time.Compare(b.Time) })
			return
		}
	}
}

// receiveError distinguishes the end of the context from an error of the socket.
func (c *conn) receiveError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return c.opError(opReceive, netip.Addr{}, err)
}

// decode reads a datagram into reply, and reports whether to hand it out.
func (c *conn) decode(in *sys.Inbound, reply *icmp.Reply) bool {
	netio.Describe(reply, in, &c.zones)
	var ok bool
	if in.Failed {
		ok = c.decodeQueued(in, reply)
	} else {
		ok = c.decodeMessage(in, reply)
	}
	if !ok {
		c.malformed.Add(1)
		return false
	}
	if !c.owns(&reply.Message) {
		c.foreign.Add(1)
		return false
	}
	if seq, ok := c.sequence(&reply.Message); ok {
		reply.KernelRTT = c.link.roundTrip(seq, in)
	}
	return true
}

// sequence returns the sequence number of the echo request that a message is about,
// and reports whether that is a request of this socket.
func (c *conn) sequence(m *icmp.Message) (seq uint16, ok bool) {
	switch {
	case m.Type.IsEchoReply():
		return m.Sequence, m.ID == c.id
	case m.Type.IsError() && m.Quote.Type.IsEchoRequest():
		return m.Quote.Sequence, m.Quote.ID == c.id
	}
	return 0, false
}

// decodeMessage reads an ICMP message as the network delivered it.
func (c *conn) decodeMessage(in *sys.Inbound, reply *icmp.Reply) bool {
	data := in.Data
	size := in.Size
	if c.version == icmp.V4 {
		// Raw sockets deliver the IPv4 header, and so do the datagram sockets
		// of some systems. No ICMP message that we receive looks like one: the
		// first byte of an echo reply is 0, that of a header is 0x45 or more.
		if len(data) > 0 && data[0]>>4 == 4 {
			stripped := netio.StripIPv4(reply, data)
			if stripped == nil {
				return false
			}
			data, size = stripped, size-(len(data)-len(stripped))
		}
		// The kernel gives raw sockets a message before it verifies the
		// checksum. A truncated message cannot be verified.
		if c.mode == Raw && size == len(data) && icmp.Checksum(data) != 0 {
			return false
		}
	}
	reply.Size = size
	return reply.Message.Parse(c.version, data) == nil
}

// decodeQueued reads an entry of the error queue.
func (c *conn) decodeQueued(in *sys.Inbound, reply *icmp.Reply) bool {
	reply.Message = icmp.Message{}
	quoted, ok := netio.ParseQueued(reply, c.version, in, 0, &c.zones)
	return ok && reply.Quote.ParseTransport(c.protocol(), quoted) == nil
}

func (c *conn) protocol() icmp.Protocol {
	if c.version == icmp.V4 {
		return icmp.ICMP
	}
	return icmp.ICMPv6
}

// owns reports whether to hand out a message: with Config.Types, a message of those
// types; otherwise a message about a request with this socket's id.
func (c *conn) owns(m *icmp.Message) bool {
	if c.types != nil {
		return c.types[m.Type.Number()]
	}
	_, ours := c.sequence(m)
	return ours
}

func (c *conn) setBroadcast(on bool) error {
	if err := c.link.setBroadcast(on); err != nil {
		return c.opError(opBroadcast, netip.Addr{}, err)
	}
	c.broadcast.Store(on)
	return nil
}

func (c *conn) joinGroup(group netip.Addr, ifi *net.Interface) error {
	switch {
	case !group.Is6() || !group.IsMulticast():
		return &ConfigError{Field: "group", Value: group, Allowed: "an IPv6 multicast address"}
	case ifi == nil:
		return &ConfigError{Field: "ifi", Value: ifi, Allowed: "an interface of this host"}
	}
	if err := c.link.joinGroup(group.WithZone(""), ifi); err != nil {
		return c.opError(opJoin, group, err)
	}
	return nil
}
