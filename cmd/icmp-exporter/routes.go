package main

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goicmp/icmplib"
)

// What is told of the way to an address, where the configuration has it watched.
var (
	routeHopsGauge    = gauge("icmp_route_hops", "Length of the path to the address in hops, as far as known.")
	routeReachedGauge = gauge("icmp_route_reached", "Whether the path is known up to the address: 1 or 0.")
	routeChangesTotal = counter("icmp_route_changes_total", "Rounds in which a hop or more had another responder than before.")
	outagesTotal      = counter("icmp_route_outages_total", "Times that the address stopped answering.")
	outageSecondsSum  = counter("icmp_route_outage_seconds_total", "Total length of outages, counted when the address answers again.")
	routeCutTotal     = counter("icmp_route_cut_total", "Routers that have no series of their own, because this path has too many.")
	hopSentTotal      = counter("icmp_hop_probes_sent_total", "Probes of a hop sent whose result is known.")
	hopAnsweredTotal  = counter("icmp_hop_probes_answered_total", "Probes of a hop that were answered in time.")
	hopRTTSummary     = summary("icmp_hop_rtt_seconds", "Round-trip times to a hop.")
	hopRouterGauge    = gauge("icmp_hop_router_info", "Current responder of a hop; always 1.")
	pathMTUGauge      = gauge("icmp_path_mtu_bytes", "Largest packet that reaches the address, in bytes with headers.")
	blackHolesGauge   = gauge("icmp_path_mtu_black_holes", "Links that drop packets that are too big without an ICMP error.")
	pathMTUFailures   = counter("icmp_path_mtu_failures_total", "Path MTU searches that failed.")
	leftOutTotal      = counter("icmp_routes_left_out_total", "Addresses whose route was not traced or watched, because there are too many.")
)

// Bounds of what routes cost, in packets and in series.
const (
	mostRouted  = 1000   // ways that are watched
	mostTraced  = 10_000 // hosts that are traced when they are in trouble
	mostHops    = 64
	mostRouters = 64 // of a way, that are told by their addresses
	mtuAtOnce   = 4
	mtuTime     = 5 * time.Minute

	leastRouteInterval = time.Second
	leastMTUInterval   = time.Minute
	defaultHops        = 30
	retryAfter         = 10 * time.Second
)

// following says what is found out about the way to a host.
type following struct {
	trace    bool          // when it is in trouble
	loss     float64       // the part of its probes whose loss is trouble
	every    time.Duration // a round of a Monitor; 0: none
	hops     int           // that are watched at the most
	mtuEvery time.Duration // 0: never
}

// way is what is known of the way to an address. The lock of its world guards it.
type way struct {
	hops    []hopCounts
	routers map[hopRouter]bool // that were told

	changes, outages, cut uint64
	outage                time.Duration
	now                   *icmplib.Route // nil: not known yet

	mtu                  *icmplib.MTUReport // nil: not known
	mtuFailures          uint64
	watched, mtuMeasured bool
}

// hopCounts are those of a hop.
type hopCounts struct {
	sent, answered uint64
	rtt            time.Duration
}

// hopRouter is who answers at a hop.
type hopRouter struct {
	hop    int
	router netip.Addr
}

// take takes in a round of a Monitor.
func (y *way) take(s *icmplib.Snapshot) {
	for i := range s.Results {
		y.add(&s.Results[i])
	}
	changed := false
	for _, e := range s.Events {
		switch e.Kind {
		case icmplib.EventRouteChange:
			changed = true
		case icmplib.EventOutage:
			y.outages++
		case icmplib.EventRecovery:
			y.outage += e.Duration
		}
	}
	if changed {
		y.changes++
	}
	y.now = &s.Route
	for i := range s.Hops {
		r := hopRouter{s.Hops[i].Distance, s.Hops[i].Address}
		if !r.router.IsValid() || y.routers[r] {
			continue
		}
		if len(y.routers) >= mostRouters {
			y.cut++
			continue
		}
		if y.routers == nil {
			y.routers = map[hopRouter]bool{}
		}
		y.routers[r] = true
	}
}

// add counts the result of a probe, if it tells the fate of one.
func (y *way) add(r *icmplib.Result) {
	if r.Sent.IsZero() || !r.Settles() || r.Status == icmplib.StatusUnsettled || r.TTL < 1 || r.TTL > mostHops {
		return
	}
	for len(y.hops) < r.TTL {
		y.hops = append(y.hops, hopCounts{})
	}
	h := &y.hops[r.TTL-1]
	h.sent++
	if r.Status != icmplib.StatusNoReply {
		h.answered++
		h.rtt += r.RTT
	}
}

// figures appends what is known to all.
func (y *way) figures(all []prometheus.Metric, labels labelSet) []prometheus.Metric {
	tell := func(m *metric, labels labelSet, value float64) { all = append(all, m.of(labels, value)) }
	if y.watched {
		tell(routeChangesTotal, labels, float64(y.changes))
		tell(outagesTotal, labels, float64(y.outages))
		tell(outageSecondsSum, labels, y.outage.Seconds())
		tell(routeCutTotal, labels, float64(y.cut))
	}
	if y.now != nil {
		tell(routeHopsGauge, labels, float64(len(y.now.Hops)))
		tell(routeReachedGauge, labels, oneIf(y.now.Reached))
		for i := range min(len(y.now.Hops), len(y.hops)) {
			h := &y.hops[i]
			labels := labels.with("hop", strconv.Itoa(i+1))
			tell(hopSentTotal, labels, float64(h.sent))
			tell(hopAnsweredTotal, labels, float64(h.answered))
			all = append(all, hopRTTSummary.sum(labels, h.rtt.Seconds(), h.answered))
			if router := y.now.Hops[i].Address; router.IsValid() {
				name := "other"
				if y.routers[hopRouter{y.now.Hops[i].Distance, router}] {
					name = router.String()
				}
				tell(hopRouterGauge, labels.with("router", name), 1)
			}
		}
	}
	if y.mtuMeasured {
		tell(pathMTUFailures, labels, float64(y.mtuFailures))
	}
	if y.mtu != nil {
		tell(pathMTUGauge, labels, float64(y.mtu.MTU))
		tell(blackHolesGauge, labels, float64(len(y.mtu.BlackHoles)))
	}
	return all
}

// follow begins to find out about the way to an address.
func (w *world) follow(s *series) {
	o := s.target.following
	ctx, cancel := context.WithCancel(w.ctx)
	s.stop, s.loss.Bound = cancel, o.loss
	s.way.watched, s.way.mtuMeasured = false, false
	s.way.now, s.way.mtu = nil, nil
	if o.every == 0 && o.mtuEvery == 0 {
		return
	}
	select {
	case w.routed <- struct{}{}:
	default:
		w.leftOut++
		return
	}
	s.way.watched, s.way.mtuMeasured = o.every > 0, o.mtuEvery > 0
	w.running.Go(func() {
		defer func() { <-w.routed }()
		if o.every == 0 {
			w.measureMTU(ctx, s, o.mtuEvery)
			return
		}
		if o.mtuEvery > 0 {
			w.running.Go(func() { w.measureMTU(ctx, s, o.mtuEvery) })
		}
		w.watchRoute(ctx, s, &o)
	})
}

// unfollow ends that.
func (w *world) unfollow(s *series) {
	s.stop()
	w.tracer.Forget(s)
}

// watchRoute watches the way until ctx ends.
func (w *world) watchRoute(ctx context.Context, s *series, o *following) {
	probing := &s.target.job.probing
	opts := &icmplib.MonitorOptions{Interval: o.every, MaxHops: o.hops, Timeout: probing.Timeout, Outage: probing.DownAfter, Packet: probing.Packet}
	opts.Packet.TTL = 0
	for wait := time.Duration(0); pause(ctx, wait); wait = retryAfter {
		for snapshot, err := range w.prober.Monitor(ctx, s.addr.String(), opts) {
			if err == nil {
				w.noteWay(ctx, func() { s.way.take(snapshot) })
			} else if ctx.Err() == nil {
				w.log.Error("the route cannot be watched", "target", s.target.job.host, "address", s.addr, "again in", retryAfter, "error", err)
			}
		}
	}
}

// measureMTU finds out the path MTU again and again until ctx ends.
func (w *world) measureMTU(ctx context.Context, s *series, every time.Duration) {
	packet := s.target.job.probing.Packet
	opts := &icmplib.PathMTUOptions{Packet: icmplib.Packet{Protocol: packet.Protocol, Port: packet.Port, TrafficClass: packet.TrafficClass}}
	for wait := time.Duration(0); pause(ctx, wait); wait = every {
		select {
		case w.mtuPlaces <- struct{}{}:
		case <-ctx.Done():
			return
		}
		limited, cancel := context.WithTimeout(ctx, mtuTime)
		report, err := w.prober.PathMTU(limited, s.addr.String(), opts)
		cancel()
		<-w.mtuPlaces
		w.noteWay(ctx, func() {
			if s.way.mtu = report; err != nil || !report.Reached || report.MTU == 0 {
				s.way.mtu = nil
				s.way.mtuFailures++
			}
		})
	}
}

// noteWay has something noted, unless the way is not followed any more.
func (w *world) noteWay(ctx context.Context, note func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() == nil {
		note()
	}
}

// pause waits, and reports whether ctx is still there.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
