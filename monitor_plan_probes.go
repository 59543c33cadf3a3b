package icmplib

import (
	"net/netip"
	"slices"
	"time"
)

// isStuck tells whether the target was there and cannot be found any more: there
// are only routers as far as can be seen.
func (p *monitorPlan) isStuck() bool {
	return p.length > 0 && p.end() < 0 && (p.stop() >= 0 || p.limit() == len(p.hops)-1)
}

// sent notes that a probe to a hop leaves.
func (p *monitorPlan) sent(index int, now time.Time) monitorTag {
	h := &p.hops[index]
	tag := monitorTag{index, p.round, h.sent}
	h.sent++
	if index > p.limit() {
		p.sound = true
	}
	p.at = index + 1
	if p.due = p.due.Add(p.spacing()); p.due.Before(now) {
		p.due = now
	}
	p.fly, p.sentAt = append(p.fly, tag), append(p.sentAt, now)
	p.noteAim(index, now)
	return tag
}

// noteAim takes account of a probe that leaves.
func (p *monitorPlan) noteAim(index int, now time.Time) {
	end := p.end()
	aims := p.aims(index)
	if aims && p.beyond.awaited.IsZero() {
		p.beyond.awaited = now
	}
	if end >= 0 && index > end {
		p.beyond.round = p.round
	}
	p.ledger.sent(p.round, index, aims, end < 0 || index > end || end == len(p.hops)-1, now)
}

// aims tells whether a probe to a hop is meant to get to the target.
func (p *monitorPlan) aims(index int) bool {
	if end := p.end(); end >= 0 {
		return index >= end
	}
	return p.length > 0 && index >= p.length-1
}

// left notes when the system took a probe.
func (p *monitorPlan) left(tag monitorTag, at time.Time) {
	if i := slices.Index(p.fly, tag); i >= 0 {
		p.sentAt[i] = at
	}
}

// unsent takes back what sent noted.
func (p *monitorPlan) unsent(tag monitorTag) {
	p.hops[tag.index].sent--
	p.landed(tag)
	p.ledger.skip(tag.round, false)
}

// landed takes a probe out of those in flight, and returns when it was sent.
func (p *monitorPlan) landed(tag monitorTag) (sent time.Time) {
	if i := slices.Index(p.fly, tag); i >= 0 {
		sent = p.sentAt[i]
		p.fly, p.sentAt = slices.Delete(p.fly, i, i+1), slices.Delete(p.sentAt, i, i+1)
	}
	return sent
}

// result notes what was heard of a probe; settles says that it is its fate.
func (p *monitorPlan) result(tag monitorTag, r *Result, settles bool) {
	h := &p.hops[tag.index]
	if settles {
		p.landed(tag)
		p.single.settled(r, p.opts.Timeout)
		if void := p.single.takeVoid(tag); void && r.Status == StatusNoReply {
			h.skip(tag)
			p.ledger.skip(tag.round, true)
			p.events = p.ledger.judge(p.events)
			return
		}
	}
	p.results = append(p.results, *r)
	p.beyond.result(p, tag, r, settles)
	if c, changed := h.add(r, tag); changed {
		p.changed(tag.index, c)
	}
	p.ledger.result(tag, r, settles)
	p.events = p.ledger.judge(p.events)
}

// abandon notes that the fates of the probes in flight will not be known.
func (p *monitorPlan) abandon(dst netip.Addr) {
	for i, tag := range p.fly {
		r := Result{Dst: dst, Status: StatusUnsettled, Seq: tag.round - 1, TTL: p.opts.FirstHop + tag.index, Sent: p.sentAt[i]}
		p.results = append(p.results, r)
		p.hops[tag.index].add(&r, tag)
	}
	p.fly, p.sentAt = nil, nil
}
