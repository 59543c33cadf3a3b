package socket

import (
	"errors"
	"os"

	"github.com/goicmp/icmplib/internal/netio"
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

// receive waits for datagrams and reads up to limit of them. At the read deadline,
// it looks a last time, whether or not the socket woke it: it reads every message
// that arrived in time.
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

// receiveNow reads up to limit datagrams that have arrived, and does not wait.
func (l *link) receiveNow(limit int) (int, error) {
	l.makeRoom(limit)
	l.look.limit = limit
	if !l.look.run(0) {
		return 0, nil
	}
	return l.look.n, l.look.err
}

// makeRoom gives the receiver room for limit datagrams and, with SendTimestamps, for a
// batch of messages and one of stamps.
func (l *link) makeRoom(limit int) {
	if l.stamps != nil {
		limit = 2 * maxBatch
	}
	if l.receiver == nil || l.receiver.Len() < limit {
		l.receiver = sys.NewReceiver(limit)
	}
}

// run looks at the queues, and reports whether there is anything to hand out.
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

// heldErrors holds the ICMP errors that were read along with stamps, until the messages
// of the same look have been handed out.
type heldErrors struct {
	places [maxBatch]uint8 // of the errors in the receiver
	count  int             // the number of errors not handed out yet
	from   int             // the first of these in places
	out    bool            // whether errors are being handed out now
	first  int             // the first of them in places
	in     sys.Inbound
}

// next makes the look hand out held errors, and reports whether there are any.
func (h *heldErrors) next(k *look) bool {
	h.out = h.count > 0
	if !h.out {
		return false
	}
	k.n, k.err = min(h.count, k.limit), nil
	h.first = h.from
	h.from += k.n
	h.count -= k.n
	return true
}

// place returns the place in the receiver of the i-th datagram that is handed out.
func (h *heldErrors) place(i int) int {
	if h.out {
		return int(h.places[h.first+i])
	}
	return i
}

func (h *heldErrors) hold(place int) {
	h.places[h.from+h.count] = uint8(place)
	h.count++
}

// stampRounds is the largest number of reads of the error queue while messages wait.
const stampRounds = 4

// readStamps reads the error queue after the messages: the kernel stamps a request
// before its reply arrives, so the stamp for a message that was just read is there. It
// notes the stamps and holds the errors among them. It continues until the queue is
// empty, which it reports, or until there is something to hand out: an error, or
// messages that have waited for stampRounds reads.
func (k *look) readStamps() (drained bool) {
	const first = maxBatch // the messages are in the places before
	h := &k.errors
	h.from = 0
	for round := 0; !drained && h.count == 0 && (k.n == 0 || round < stampRounds); round++ {
		var n int
		n, drained, k.err = k.l.sock.ReceiveErrors(k.l.receiver, first, first+maxBatch)
		if k.err != nil {
			return false
		}
		for i := first; i < first+n; i++ {
			k.l.receiver.Datagram(i, &h.in)
			if h.in.Err.Origin == sys.OriginTimestamping {
				k.l.stamps.note(h.in.Err.Data, h.in.Departed)
			} else {
				h.hold(i)
			}
		}
	}
	return drained && h.count == 0
}
