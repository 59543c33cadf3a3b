package icmplib

import (
	"context"
	"net"
)

// Receive waits for at least one result, and hands out as many as there are, up
// to the length of results. It returns how many. It ends with the context's
// cause when ctx ends, and with [net.ErrClosed] when the Stream or its Prober is
// closed.
func (s *Stream) Receive(ctx context.Context, results []StreamResult) (int, error) {
	s.receiveMu.Lock()
	defer s.receiveMu.Unlock()
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if n := s.collect(results); n > 0 || len(results) == 0 {
			signal(s.room)
			return n, nil
		}
		select {
		case <-s.inbox.Ready():
		case <-s.wake:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-s.closed.Done():
			return 0, net.ErrClosed
		case <-s.p.closed:
			return 0, net.ErrClosed
		}
	}
}

// collect hands out what there is.
func (s *Stream) collect(results []StreamResult) (n int) {
	n = s.collectRefused(results)
	for n < len(results) {
		if s.next == len(s.taken) {
			s.taken, s.next = s.inbox.Take(s.taken), 0
			if len(s.taken) == 0 {
				break
			}
		}
		o := &s.taken[s.next]
		s.next++
		if !o.Fate.Settles() {
			continue // its record may be another probe's by now
		}
		r := s.remove(int(o.Tag))
		result := outcomeResult(o, r.dst, r.protocol)
		result.Seq = 0
		results[n] = StreamResult{r.tag, result}
		n++
	}
	return n
}

// collectRefused hands out the results of probes that were not sent.
func (s *Stream) collectRefused(results []StreamResult) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(results, s.refused)
	s.refused = s.refused[:copy(s.refused, s.refused[n:])]
	if len(s.refused) > 0 {
		signal(s.wake)
	}
	return n
}
