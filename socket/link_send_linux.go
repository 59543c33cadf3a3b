package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// configureStamps is the last step: what was sent before would be counted.
func (l *link) configureStamps(cfg linkConfig) error {
	if !cfg.SendTimestamps {
		return nil
	}
	err := l.sock.StampSends(true)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOPROTOOPT) {
		return fmt.Errorf("kernel timestamps of what is sent (SendTimestamps) need Linux 4.0 or later: %w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return err
	}
	l.stamps = newDepartures(l.look.empty.Mono)
	return nil
}

// send gives the datagrams to the kernel and returns how many it took. It sets when
// in each of these.
func (l *link) send(out []sys.Outbound) (int, error) {
	for i := range out {
		l.sender.Set(i, &out[i])
	}
	var n int
	var err error
	if l.stamps != nil {
		n, err = l.sendStamped(out)
	} else {
		n, err = l.sock.Send(l.sender, 0, len(out))
	}
	for i := range n {
		out[i].Sent = l.sender.Sent(i)
	}
	return n, err
}

// sendStamped sends one datagram at a time, each of which is known before the
// kernel gets it: on a loopback interface the stamp and the reply are there
// before the call returns.
func (l *link) sendStamped(out []sys.Outbound) (int, error) {
	for i := range out {
		if l.errQueue {
			if err := l.sock.ClearPending(); err != nil {
				return i, err
			}
		}
		now := l.now()
		if l.stamps.resume(now.Mono) {
			if err := l.sock.StampSends(true); err != nil {
				return i, err
			}
		}
		const sequenceOffset = 6 // RFC 792, RFC 4443 section 4.1
		l.stamps.send(binary.BigEndian.Uint16(out[i].Data[sequenceOffset:]), now)
		refused := l.sender.Refused
		n, err := l.sock.Send(l.sender, i, i+1)
		if l.sender.Refused != refused {
			l.stamps.refuse(n == 1)
			if off := l.sock.StampSends(false); err == nil {
				err = off
			}
		}
		if err != nil {
			return i + n, err
		}
	}
	return len(out), nil
}

// roundTrip returns the time between the kernel's stamps of a request and of
// what came about it, 0 where it is not known.
func (l *link) roundTrip(seq uint16, in *sys.Inbound) time.Duration {
	if l.stamps == nil || in.Stamp == 0 {
		return 0
	}
	return l.stamps.roundTrip(seq, in.Stamp, l.look.reading)
}
