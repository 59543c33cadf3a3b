package socket

import (
	"context"
	"encoding/binary"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/iphelper"
	"github.com/goicmp/icmplib/internal/sys"
)

// openCarrier uses the IP Helper API for datagram mode: any user may call it, and no
// firewall rule blocks it. The carrier explains the errors of the API and of sockets.
func openCarrier(cfg linkConfig, drained *netio.Watermark) (carrier, error) {
	open := openRaw
	if cfg.mode == Datagram {
		open = openEcho
	}
	c, err := open(cfg, drained)
	if err != nil {
		return nil, iphelper.Explain(err)
	}
	return explained{c}, nil
}

// explained is a carrier that explains its errors.
type explained struct{ carrier }

func (e explained) send(out []sys.Outbound) (int, error) {
	n, err := e.carrier.send(out)
	return n, iphelper.Explain(err)
}

func (e explained) receive(limit int) (int, error) {
	n, err := e.carrier.receive(limit)
	return n, iphelper.Explain(err)
}

func (e explained) joinGroup(group netip.Addr, ifi *net.Interface) error {
	return iphelper.Explain(e.carrier.joinGroup(group, ifi))
}

// defaultWait is how long the system waits for the answer to a request without a
// Timeout.
const defaultWait = 10 * time.Second

// echoLink carries echo requests by calls of the IP Helper API, which sends a request,
// waits for the answer and reports it. The system draws its own id and sequence number,
// and knows which call an answer belongs to. echoLink puts the socket's id and sequence
// number into the answers again.
type echoLink struct {
	handle  *sys.EchoHandle
	family  iphelper.Family
	flags   uint8
	source  netip.Addr
	zone    uint32 // of source
	drained *netio.Watermark
	dropped atomic.Uint64
	groups  broadcasts

	mu       sync.Mutex
	closed   bool
	deadline time.Time
	arrived  []*echoCall   // completed, but not handed out yet
	changed  chan struct{} // signals a change of the fields above; holds one

	batch []*echoCall // the answers that the last receive handed out
	calls []*sys.EchoCall
	idle  sync.Pool
}

// echoCall is a call, and its request.
type echoCall struct {
	sys.EchoCall
	link    *echoLink
	request []byte // the ICMP message
	to      netip.Addr
	zone    uint32
	since   time.Duration // from the completion to the read
	reply   iphelper.Reply
}

func openEcho(cfg linkConfig, drained *netio.Watermark) (carrier, error) {
	ipv6 := cfg.version == icmp.V6
	switch {
	case cfg.ID != 0:
		return nil, unsupported("choosing the id (ID)")
	case cfg.Interface != "":
		return nil, unsupported("binding to an interface (Interface)")
	case cfg.DontFragment && ipv6:
		return nil, unsupported("keeping IPv6 from fragmenting (DontFragment)")
	}
	source := cfg.Source.Unmap().WithZone("")
	if err := isLocal(source); err != nil {
		return nil, err
	}
	handle, err := sys.OpenEcho(ipv6)
	if err != nil {
		return nil, err
	}
	l := &echoLink{handle: handle, family: iphelper.Family(ipv6), source: source, zone: cfg.zone,
		drained: drained, changed: make(chan struct{}, 1)}
	if cfg.DontFragment {
		l.flags = iphelper.DontFragment
	}
	return l, nil
}

// isLocal refuses a source that this host does not have. The API would refuse it only
// with each request.
func isLocal(source netip.Addr) error {
	if !source.IsValid() || source.IsUnspecified() {
		return nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == source {
			return nil
		}
	}
	return syscall.EADDRNOTAVAIL
}

func (l *echoLink) send(out []sys.Outbound) (int, error) {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return 0, net.ErrClosed // the thread of the API may still serve other sockets
	}
	l.calls = l.calls[:0]
	var refused error
	for i := range out {
		if refused = l.refuse(&out[i]); refused != nil {
			break
		}
		l.calls = append(l.calls, &l.prepare(&out[i]).EchoCall)
	}
	if len(l.calls) == 0 {
		return 0, refused
	}
	now := time.Now()
	n, err := l.handle.Call(l.calls)
	for i := range n {
		out[i].Sent = now
	}
	if err != nil {
		return n, err
	}
	return n, refused
}

// refuse refuses requests that are too long for the API, and requests to broadcast
// addresses, which the API would send.
func (l *echoLink) refuse(out *sys.Outbound) error {
	switch {
	case len(out.Data) > echoHeaderLen+iphelper.MaxData:
		return syscall.EMSGSIZE
	case l.groups.contain(out.To):
		return syscall.EACCES
	}
	return nil
}

const echoHeaderLen = 8 // RFC 792, RFC 4443 section 4.1

// prepare makes a call for a request.
func (l *echoLink) prepare(out *sys.Outbound) *echoCall {
	c, ok := l.idle.Get().(*echoCall)
	if !ok {
		c = &echoCall{link: l}
		c.Completed = func(*sys.EchoCall) { c.link.complete(c) }
	}
	c.request = append(c.request[:0], out.Data...)
	c.to, c.zone = out.To, out.Zone
	c.Payload = c.request[echoHeaderLen:]
	size := l.family.BufferSize(len(c.Payload))
	c.Buffer = slices.Grow(c.Buffer[:0], size)[:size]
	l.family.Prepare(c.Buffer)
	ttl := icmp.DefaultTTL
	if out.TTL > 0 {
		ttl = out.TTL
	}
	c.Options = iphelper.Options(uint8(ttl), uint8(max(0, out.TrafficClass)), l.flags)
	c.Timeout = out.Timeout
	if c.Timeout <= 0 {
		c.Timeout = defaultWait
	}
	if l.family == iphelper.V6 {
		c.To6, c.Source6 = iphelper.Address6(out.To, out.Zone), iphelper.Address6(l.source, l.zone)
	} else {
		c.To4, c.Source4 = iphelper.Address4(out.To), iphelper.Address4(l.source)
	}
	return c
}

// complete takes a completed call. It runs on the thread of the API.
func (l *echoLink) complete(c *echoCall) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.arrived = append(l.arrived, c)
	l.notify()
}

func (l *echoLink) notify() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// waitWritable waits until a call may have made room for another.
func (l *echoLink) waitWritable(ctx context.Context) error { return l.handle.WaitRoom(ctx) }

// receive waits for answers. At the deadline, it looks a last time, and hands out the
// calls that had completed by then.
func (l *echoLink) receive(limit int) (int, error) {
	for _, c := range l.batch {
		l.idle.Put(c)
	}
	l.batch = l.batch[:0]
	for {
		deadline, err := l.take(limit)
		if err != nil || len(l.batch) > 0 {
			return len(l.batch), err
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			until := l.handle.Drain()
			if _, err := l.take(limit); err != nil || len(l.batch) > 0 {
				return len(l.batch), err
			}
			l.drained.Advance(until)
			return 0, os.ErrDeadlineExceeded
		}
		l.wait(deadline)
	}
}

// take moves up to limit answers into the batch, and returns the read deadline.
func (l *echoLink) take(limit int) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return time.Time{}, net.ErrClosed
	}
	taken := 0
	for _, c := range l.arrived {
		if len(l.batch) == limit {
			break
		}
		taken++
		if l.read(c) {
			l.batch = append(l.batch, c)
		} else {
			l.idle.Put(c)
		}
	}
	l.arrived = slices.Delete(l.arrived, 0, taken)
	return l.deadline, nil
}

// wait waits for a change, or the deadline.
func (l *echoLink) wait(deadline time.Time) {
	if deadline.IsZero() {
		<-l.changed
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-l.changed:
	case <-timer.C:
	}
}

// read reads the result of a call, and reports whether it is an answer. It counts a
// request that the system took but did not carry out, and a result that it cannot read,
// as dropped on this host.
func (l *echoLink) read(c *echoCall) bool {
	status := l.family.Status(c.Buffer)
	if status == iphelper.Untouched && c.Code != 0 {
		status = iphelper.Status(c.Code)
	}
	if status == iphelper.TimedOut {
		return false
	}
	_, _, reported := l.family.ErrorMessage(status)
	if status == iphelper.Success || reported {
		var err error
		c.reply, err = l.family.Parse(c.Buffer, uint64(c.Base()), len(c.Payload))
		if err == nil && (c.reply.Status == status) && !c.reply.Source.IsUnspecified() {
			c.since = c.Since()
			return true
		}
	}
	l.dropped.Add(1)
	return false
}

// datagram decodes the i-th answer of the last receive.
func (l *echoLink) datagram(i int, in *sys.Inbound) {
	c := l.batch[i]
	*in = sys.Inbound{
		From:         c.reply.Source,
		Zone:         c.reply.Zone,
		TTL:          c.reply.TTL,
		TrafficClass: c.reply.TrafficClass,
		Read:         time.Now(),
		Queued:       c.since,
		Elapsed:      c.Elapsed,
	}
	if c.reply.Status == iphelper.Success {
		id, sequence := binary.BigEndian.Uint16(c.request[4:]), binary.BigEndian.Uint16(c.request[6:])
		in.Data = l.family.Message(c.Buffer, &c.reply, id, sequence)
		in.Size = len(in.Data)
		return
	}
	clear(c.request[2:4]) // the checksum of the quoted request is not known
	in.Failed = true
	in.Data, in.From, in.Zone = c.request, c.to, c.zone
	in.Err = sys.QueuedError{Origin: sys.OriginICMP, Presumed: true, Offender: c.reply.Source, Zone: c.reply.Zone}
	if l.family == iphelper.V6 {
		in.Err.Origin = sys.OriginICMPv6
	}
	in.Err.Type, in.Err.Code, _ = l.family.ErrorMessage(c.reply.Status)
}

func (l *echoLink) setReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.deadline = t
	l.notify()
	return nil
}

func (l *echoLink) drops() uint64 { return l.dropped.Load() }

func (l *echoLink) setBroadcast(bool) error { return unsupported("broadcast (SetBroadcast)") }

func (l *echoLink) joinGroup(netip.Addr, *net.Interface) error {
	return unsupported("joining a group in datagram mode (JoinGroup)")
}

// close ends the use of the API. Pending calls complete, but nothing reads their results.
func (l *echoLink) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	l.handle.Close()
	l.notify()
	return nil
}

// broadcasts caches the broadcast addresses of this host's networks. The API would send
// to them without a permission such as SO_BROADCAST.
type broadcasts struct {
	expires time.Time
	addrs   []netip.Addr
}

// contain reports whether addr is a broadcast address. Only the sender calls it.
func (b *broadcasts) contain(addr netip.Addr) bool {
	if !addr.Is4() {
		return false
	}
	if now := time.Now(); now.After(b.expires) {
		const lifetime = 10 * time.Second // a lookup costs milliseconds
		b.addrs, b.expires = broadcastAddrs(), now.Add(lifetime)
	}
	return slices.Contains(b.addrs, addr)
}
