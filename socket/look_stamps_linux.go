package socket

import "github.com/goicmp/icmplib/internal/sys"

// heldErrors are the ICMP errors that were read along with stamps. They are
// handed out when the messages of the same look have been.
type heldErrors struct {
	places [maxBatch]uint8 // of the receiver
	count  int             // not handed out yet
	from   int             // the first of these, among places
	out    bool            // what is handed out now is errors
	first  int             // and this is the first of them
	in     sys.Inbound
}

// next has the look give out errors, if there are any.
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

// place returns where in the receiver the i-th of what is handed out lies.
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

// stampRounds bounds how often the error queue is read while messages wait.
const stampRounds = 4

// readStamps reads the error queue behind the messages: the stamp of a request
// is made before its reply, so that of a message that was just read is there. It
// notes the stamps, holds the errors among them, and goes on until nothing is
// left, which it tells, or until there is something to hand out: some error, or
// messages that have waited for a few rounds, behind which more arrive.
func (k *look) readStamps() (drained bool) {
	const first = maxBatch // the places below have the messages
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
