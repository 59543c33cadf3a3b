package transport

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"os"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// look is one look of a link at all of its sockets that are ready.
type look struct {
	poller   *sys.Poller
	events   sys.Events
	receiver *sys.Receiver
	mark     netio.Watermark
	now      func() netio.ClockReading
	wake     func(uintptr) bool // run, made once

	// scan reads up to limit entries from the sockets that are ready. It reports
	// whether it has emptied all of these.
	scan func(ready, limit int) (n int, drained bool, err error)

	limit   int
	n       int
	err     error
	reading netio.ClockReading // after the look
	since   netio.ClockReading // all that the look found arrived after this
	empty   netio.ClockReading // when all sockets were last found empty
}

func (k *look) init(scan func(ready, limit int) (int, bool, error)) (err error) {
	if k.poller, err = sys.NewHushablePoller(); err != nil {
		return err
	}
	k.scan, k.now, k.wake = scan, netio.ReadClock, k.run
	k.empty = k.now()
	k.mark.Advance(k.empty.Mono)
	return nil
}

// receive waits for entries and reads up to limit of them. At the read deadline, it
// looks a last time, whether or not a socket woke it: it reads every entry that arrived
// in time.
func (k *look) receive(limit int) (int, error) {
	k.makeRoom(limit)
	err := k.poller.Wait(k.wake)
	if errors.Is(err, os.ErrDeadlineExceeded) && k.run(0) {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	return k.n, k.err
}

// receiveNow reads up to limit entries that have arrived, and does not wait.
func (k *look) receiveNow(limit int) (int, error) {
	k.makeRoom(limit)
	if !k.run(0) {
		return 0, nil
	}
	return k.n, k.err
}

func (k *look) makeRoom(limit int) {
	if k.receiver == nil || k.receiver.Len() < limit {
		k.receiver = sys.NewReceiver(limit)
	}
	k.limit = limit
}

func (k *look) watch(on bool) error { return k.poller.Watch(on) }

// run looks at the sockets, and reports whether there is anything to hand out.
func (k *look) run(uintptr) bool {
	k.since = k.empty
	before := k.now()
	var drained bool
	k.n = 0
	ready, err := k.poller.Ready(&k.events)
	if k.err = err; err == nil {
		k.n, drained, k.err = k.scan(ready, k.limit)
		drained = drained && ready < len(k.events)
	}
	if drained {
		k.empty = before
		k.mark.Advance(before.Mono)
	}
	if k.n > 0 {
		k.err = nil // if it lasts, the next look finds it again
	}
	if k.n == 0 && k.err == nil {
		// Sockets that were left out for lack of room need another look, because
		// Go's poller reports only new events.
		return !drained
	}
	k.reading = k.now()
	return true
}

// datagram decodes the i-th entry of the last look.
func (k *look) datagram(i int, in *sys.Inbound) {
	k.receiver.Datagram(i, in)
	in.Read = k.reading.Mono
	in.Queued, in.Stamped = netio.QueueDelay(k.reading, in.Stamp, k.since)
}

func (k *look) setReadDeadline(t time.Time) error { return k.poller.SetReadDeadline(t) }

func (k *look) drained() time.Time { return k.mark.Time() }

// group is a look at sockets for datagrams.
type group struct {
	look
	socks    []*sys.Socket    // a socket's key is its index
	origin   [maxBatch]uint16 // the key of the socket of each entry
	errQueue bool             // whether to read the error queues, too
	in       sys.Inbound
}

func (g *group) scanAll(ready, limit int) (n int, drained bool, err error) {
	drained = true
	for i := range ready {
		if n == limit {
			return n, false, nil
		}
		key := g.events.Key(i)
		m, empty, err := g.socks[key].Receive(g.receiver, n, limit, g.errQueue)
		for j := n; j < n+m; j++ {
			g.origin[j] = uint16(key)
		}
		n += m
		if err != nil {
			return n, false, err
		}
		drained = drained && empty
	}
	return n, drained, nil
}

func (g *group) drops() (sum uint64) {
	for _, s := range g.socks {
		if n, err := s.Drops(); err == nil {
			sum += uint64(n)
		}
	}
	return sum
}

// backlog returns the backlog of the fullest socket. There may be many UDP sockets
// without privileges, and any of them can overflow.
func (g *group) backlog() (most float64) {
	for _, s := range g.socks {
		if part, err := s.Backlog(); err == nil {
			most = max(most, part)
		}
	}
	return most
}

func (g *group) hasInterface(index uint32) bool { return g.socks[0].HasInterface(index) }

func (g *group) receiveBuffer() (sum int, err error) {
	for _, s := range g.socks {
		size, err := s.ReceiveBuffer()
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, nil
}

func (g *group) setReceiveBuffer(size int) error {
	for _, s := range g.socks {
		if err := s.SetReceiveBuffer(size / len(g.socks)); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) close() error {
	if err := g.poller.Close(); err != nil {
		return err // the first call closes them
	}
	for _, s := range g.socks {
		_ = s.Close()
	}
	return nil
}
