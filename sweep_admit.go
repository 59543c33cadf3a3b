package icmplib

import (
	"errors"
	"net"
	"net/netip"
	"os"
)

// admit takes targets from the feed while there are places.
func (s *sweep) admit() error {
	for !s.closed {
		if n := len(s.turns); n > 0 {
			t := s.turns[n-1]
			s.turns = s.turns[:n-1]
			if err := s.begin(t); err != nil {
				return err
			}
			continue
		}
		if !s.wants() {
			return nil
		}
		if s.next == len(s.drawn) {
			s.drawn, s.more = s.feed.take(s.drawn)
			s.next = 0
			if len(s.drawn) == 0 {
				return nil
			}
		}
		t := s.drawn[s.next]
		s.next++
		if t.err == nil && !s.hosts.claim(t) {
			continue
		}
		if err := s.begin(t); err != nil {
			return err
		}
	}
	return nil
}

// sweepAhead is how many hosts wait to be sent their first request. More would
// only take memory.
const sweepAhead = 4 * sweepBatchSize

// wants tells whether another target can be taken and is needed.
func (s *sweep) wants() bool { return s.hosts.room() && s.fresh.len() < sweepAhead }

// begin gives a target its place. One that cannot be sent to is completed at
// once; an error is what concerns all of them.
func (s *sweep) begin(t target) error {
	host := &Host{Name: t.name, Address: t.addr}
	host.KeepRTTs(s.opts.Count)
	if t.err != nil {
		host.Err = t.err
		s.complete(t.index, host)
		return nil
	}
	pool, err := s.p.poolFor(&s.opts.Packet, host.Address)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed) {
		return err
	}
	if err != nil {
		host.Err = err
		s.handOver(t.addr)
		s.complete(t.index, host)
		return nil
	}
	s.fresh.push(s.hosts.add(sweepHost{host: host, pool: pool, index: t.index}))
	return nil
}

// handOver gives an address to the target that waits for it, if there is one.
func (s *sweep) handOver(addr netip.Addr) {
	if next, ok := s.hosts.release(addr); ok {
		s.turns = append(s.turns, next)
	}
}
