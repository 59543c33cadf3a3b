package icmplib

import "net/netip"

// streamRecord is a probe in flight; its place in the Stream's records is what
// the engine knows it by.
type streamRecord struct {
	tag      uint64
	dst      netip.Addr
	protocol Protocol
	op       *streamOp
}

// add notes a probe that is about to be sent.
func (s *Stream) add(r streamRecord) (place int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.op.inFlight++
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
		s.records[place] = r
		return place
	}
	s.records = append(s.records, r)
	return len(s.records) - 1
}

// remove takes out the record of a probe that is settled, or was not sent.
func (s *Stream) remove(place int) streamRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[place]
	r.op.inFlight--
	s.records[place] = streamRecord{}
	s.free = append(s.free, place)
	return r
}
