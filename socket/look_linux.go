package socket

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"os"

	"github.com/goicmp/icmplib/internal/sys"
)

// look is one look at the socket's queues.
type look struct {
	l       *link
	limit   int
	n       int
	err     error
	reading netio.ClockReading // after the look
	since   netio.ClockReading // all that the look found arrived after this
	empty   netio.ClockReading // when the queues were last found empty
	errors  heldErrors         // with SendTimestamps
}

// receive waits for datagrams and reads up to limit of them. At the read
// deadline it looks a last time, whether or not it was woken before: what
// arrived in time is read in time.
func (l *link) receive(limit int) (int, error) {
	l.makeRoom(limit)
	l.look.limit = limit
	err := l.sock.Wait(l.wake)
	if errors.Is(err, os.ErrDeadlineExceeded) && l.look.run(0) {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	return l.look.n, l.look.err
}

// receiveNow reads what is there, up to limit datagrams, and does not wait.
func (l *link) receiveNow(limit int) (int, error) {
	l.makeRoom(limit)
	l.look.limit = limit
	if !l.look.run(0) {
		return 0, nil
	}
	return l.look.n, l.look.err
}

// makeRoom has the receiver take limit datagrams, and as many stamps.
func (l *link) makeRoom(limit int) {
	if l.stamps != nil {
		limit = 2 * maxBatch
	}
	if l.receiver == nil || l.receiver.Len() < limit {
		l.receiver = sys.NewReceiver(limit)
	}
}

// run looks, and tells whether there is anything to report.
func (k *look) run(uintptr) bool {
	if k.errors.next(k) {
		return true
	}
	k.since = k.empty
	before := k.l.now()
	var drained bool
	k.n, drained, k.err = k.l.sock.Receive(k.l.receiver, 0, k.limit, k.l.errQueue && k.l.stamps == nil)
	if k.l.stamps != nil && k.err == nil {
		drained = k.readStamps() && drained
	}
	if drained {
		k.empty = before
		k.l.drained.Advance(before.Mono)
	}
	if k.n == 0 && k.err == nil && k.errors.count == 0 {
		return false
	}
	k.reading = k.l.now()
	return k.n > 0 || k.err != nil || k.errors.next(k)
}

// datagram decodes the i-th datagram of the last receive.
func (l *link) datagram(i int, in *sys.Inbound) {
	l.receiver.Datagram(l.look.errors.place(i), in)
	in.Read = l.look.reading.Mono
	in.Queued, in.Stamped = netio.QueueDelay(l.look.reading, in.Stamp, l.look.since)
}
