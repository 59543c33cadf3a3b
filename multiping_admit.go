package icmplib

import (
	"errors"
	"net"
	"os"
)

// admit takes targets while there are places.
func (s *sweep) admit() error {
	for !s.closed {
		t, ok := s.targets.take(s.wants)
		if !ok {
			return nil
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
func (s *sweep) wants() bool {
	return s.hosts.len()+s.targets.waiting < maxSweepHosts && s.fresh.len() < sweepAhead
}

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
		s.targets.release(t.addr)
		s.complete(t.index, host)
		return nil
	}
	s.fresh.push(s.hosts.add(sweepHost{host: host, pool: pool, index: t.index}))
	return nil
}
