package netsim

import "time"

// limiter is a token bucket: how routers bound the ICMP messages they send
// (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)).
type limiter struct {
	rate   float64 // per second; 0: no limit
	burst  int
	used   float64 // of the bucket, at last
	last   time.Time
	primed bool
}

// allow takes a token. Packets may be presented out of the order of their
// times, since each is followed to its end before the next: the bucket never
// runs backwards.
func (l *limiter) allow(now time.Time) bool {
	if l.rate <= 0 {
		return true
	}
	if !l.primed {
		l.last, l.primed = now, true
	}
	if passed := now.Sub(l.last); passed > 0 {
		l.used = max(0, l.used-passed.Seconds()*l.rate)
		l.last = now
	}
	// What is missing for want of precision is no missing token.
	if l.used+1 > float64(l.burst)+1e-9 {
		return false
	}
	l.used++
	return true
}
