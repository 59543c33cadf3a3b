package live

import (
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

// Update is news of a target. The zero Update but for Target and Generation says
// that its watching has ended.
type Update struct {
	Target     int               // its place in [Config.Subjects]
	Generation int               // of the [Model] when the watching began
	Snapshot   *icmplib.Snapshot // of the round that has ended; nothing changes it any more
	Err        error             // why there will be no further snapshot
}

// maxEvents is how many events are kept of a target.
const maxEvents = 1000

// track is what is known of a target by one flow.
type track struct {
	id int // its place among the subjects
	Subject
	began  time.Time         // when the first probe was sent
	now    *icmplib.Snapshot // nil before the first
	trails map[int]*trail    // by distance
	events []icmplib.Event
	err    error
	unsent error // why the system has sent nothing of late
	ended  bool
}

func newTrack(id int, s Subject) *track {
	return &track{id: id, Subject: s, trails: map[int]*trail{}}
}

// absorb takes news.
func (t *track) absorb(u Update) {
	if u.Snapshot == nil {
		t.ended, t.err = true, u.Err
		return
	}
	if t.now == nil {
		t.began = Began(u.Snapshot)
	}
	if t.now != nil && t.now.Address != u.Snapshot.Address {
		t.trails = map[int]*trail{} // of the route to another address
	}
	t.now = u.Snapshot
	t.unsent = Unsent(u.Snapshot.Results, t.unsent)
	for i := range u.Snapshot.Results {
		r := &u.Snapshot.Results[i]
		if t.trails[r.TTL] == nil {
			t.trails[r.TTL] = &trail{}
		}
		t.trails[r.TTL].note(r)
	}
	t.events = append(t.events, u.Snapshot.Events...)
	if excess := len(t.events) - maxEvents; excess > 0 {
		t.events = slices.Delete(t.events, 0, excess)
	}
}

// Began returns when the first probe was sent, by the first snapshot.
func Began(first *icmplib.Snapshot) time.Time {
	began := first.Time
	for i := range first.Results {
		if sent := first.Results[i].Sent; !sent.IsZero() && sent.Before(began) {
			began = sent
		}
	}
	return began
}

// Unsent returns why the system sends nothing, by the results of a round and what
// was known before them; nil if it has sent something.
func Unsent(results []icmplib.Result, before error) error {
	why := before
	for i := range results {
		if !results[i].Sent.IsZero() {
			return nil
		}
		why = results[i].Cause
	}
	return why
}

// clone returns a copy that further news do not change.
func (t *track) clone() *track {
	c := *t
	c.events = slices.Clone(t.events)
	c.trails = make(map[int]*trail, len(t.trails))
	for distance, trail := range t.trails {
		c.trails[distance] = trail.clone()
	}
	return &c
}

// hops returns the route as it is now.
func (t *track) hops() []icmplib.Hop {
	if t.now == nil {
		return nil
	}
	return t.now.Hops
}

// address returns the target's, the zero Addr before it is known.
func (t *track) address() netip.Addr {
	if t.now == nil {
		return netip.Addr{}
	}
	return t.now.Address
}

func (t *track) round() int {
	if t.now == nil {
		return 0
	}
	return t.now.Round
}

// target returns the hop at which the target answers, or did before an outage;
// nil if none is known.
func (t *track) target() *icmplib.Hop {
	hops := t.hops()
	if len(hops) > 0 && t.now.End == icmplib.EndReached {
		return &hops[len(hops)-1]
	}
	for i := range hops {
		for j := range hops[i].Responders {
			if hops[i].Responders[j].Status == icmplib.StatusReply {
				return &hops[i]
			}
		}
	}
	return nil
}

// loss returns the part of the probes that the target did not answer, 1 while
// it has answered none.
func (t *track) loss() float64 {
	if hop := t.target(); hop != nil {
		return hop.PacketLoss()
	}
	return 1
}

// rtt returns the target's mean, and whether there is one.
func (t *track) rtt() (time.Duration, bool) {
	hop := t.target()
	if hop == nil || hop.PacketsReceived == 0 {
		return 0, false
	}
	return hop.AvgRTT(), true
}

// marks returns the last marks of a hop.
func (t *track) marks(distance, count int) []mark {
	if t.trails[distance] == nil {
		return make([]mark, count)
	}
	return t.trails[distance].tail(t.round(), count)
}
