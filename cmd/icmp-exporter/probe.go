package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/trouble"
)

// probing is what /probe may do, as the configuration says.
type probing struct {
	modules map[string]*module
	allow   []netip.Prefix
	places  chan struct{} // one for each probe under way
}

// module is how a target is probed.
type module struct {
	ping       icmplib.PingOptions
	route, mtu bool // whether those are found out, too
}

// Bounds of a probe. Prometheus gives up after its scrape_timeout: an answer has to be
// there a little before.
const (
	defaultProbeTime = 10 * time.Second
	mostProbeTime    = 25 * time.Second // less than a request may take
	timeLeft         = 500 * time.Millisecond
	longestTarget    = 255
)

// errNotAllowed is told to who asks for an address outside of the prefixes.
var errNotAllowed = errors.New("the target is outside the prefixes of allow, below probe in the configuration")

// probe answers /probe?target=&module= as blackbox_exporter does.
func (e *exporter) probe(w http.ResponseWriter, r *http.Request) {
	target, m, err := e.question(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	may := e.probing.Load()
	select {
	case may.places <- struct{}{}:
		defer func() { <-may.places }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many probes at once: see probe: concurrent:", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), probeTime(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds")))
	defer cancel()
	found := e.ask(ctx, target, m, may.allow)
	switch {
	case errors.Is(found.err, errNotAllowed):
		http.Error(w, found.err.Error(), http.StatusForbidden)
		return
	case errors.Is(found.err, net.ErrClosed): // which says nothing of the target
		w.Header().Set("Retry-After", "1")
		http.Error(w, "a reload or shutdown closed the sockets: the target was not probed", http.StatusServiceUnavailable)
		return
	}
	if found.err != nil {
		e.log.Warn("a probe failed", "target", target, "error", found.err)
	}
	promhttp.HandlerFor(found.registry(), promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// question reads what is asked.
func (e *exporter) question(r *http.Request) (target string, m *module, err error) {
	may := e.probing.Load()
	target, name := r.URL.Query().Get("target"), cmp.Or(r.URL.Query().Get("module"), "icmp")
	switch {
	case may == nil || len(may.modules) == 0:
		return "", nil, errors.New("no module is configured: add one below modules: in the configuration")
	case may.modules[name] == nil:
		return "", nil, fmt.Errorf("unknown module %q: allowed are those below modules: in the configuration", name)
	case target == "" || len(target) > longestTarget || !isPrintable(target):
		return "", nil, errors.New("target: give the name or address of a host")
	}
	return target, may.modules[name], nil
}

// probeTime is how long a probe may take: as long as the scrape, less what the answer
// needs.
func probeTime(header string) time.Duration {
	s, err := strconv.ParseFloat(header, 64)
	if err != nil || !(s > 0) || s > mostProbeTime.Seconds() {
		if s > mostProbeTime.Seconds() {
			return mostProbeTime
		}
		return defaultProbeTime
	}
	d := time.Duration(s * float64(time.Second))
	return max(d-timeLeft, d/2)
}

// found is what came of a probe.
type found struct {
	took, lookup, setup time.Duration
	address             netip.Addr
	stats               icmplib.Stats
	last                icmplib.Result // the last reply
	route               *icmplib.Route // nil: it was not traced
	mtu                 int            // 0: it is not known
	err                 error
}

// ask resolves a target and pings it.
func (e *exporter) ask(ctx context.Context, target string, m *module, allow []netip.Prefix) *found {
	f, began := &found{}, time.Now()
	defer func() { f.took = time.Since(began) }()
	now := e.current.Load()
	addrs, err := now.resolve(ctx, target, m.ping.Family)
	f.lookup = time.Since(began)
	if err != nil {
		f.err = err
		return f
	}
	f.address = addrs[0]
	if !slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(f.address.Unmap().WithZone("")) }) {
		f.err = errNotAllowed
		return f
	}
	first := true
	for r, err := range now.prober.PingSeq(ctx, f.address.String(), &m.ping) {
		if err != nil {
			f.err = err
			return f
		}
		if first && !r.Sent.IsZero() {
			first, f.setup = false, r.Sent.Sub(began)-f.lookup
		}
		f.stats.Add(r)
		if r.Status == icmplib.StatusReply && r.Settles() {
			f.last = r
		}
	}
	f.askMore(ctx, now.prober, m)
	return f
}

// loss is the part of the packets that was lost. What was not answered when the time of the
// scrape was over is lost to it, though it might have been answered later.
func (f *found) loss() float64 {
	tried := f.stats.PacketsSent + f.stats.SendErrors
	switch {
	case !errors.Is(f.err, context.DeadlineExceeded):
		return f.stats.PacketLoss()
	case tried == 0:
		return 1
	}
	return 1 - float64(f.stats.PacketsReceived)/float64(tried)
}

// askMore finds out what costs further packets.
func (f *found) askMore(ctx context.Context, p *icmplib.Prober, m *module) {
	if m.route {
		f.route, f.err = p.Traceroute(ctx, f.address.String(), trouble.Options(m.ping.Packet))
	}
	if m.mtu && f.err == nil {
		packet := icmplib.Packet{Protocol: m.ping.Packet.Protocol, Port: m.ping.Packet.Port, TrafficClass: m.ping.Packet.TrafficClass}
		report, err := p.PathMTU(ctx, f.address.String(), &icmplib.PathMTUOptions{Packet: packet})
		if f.err = err; err == nil && report.Reached {
			f.mtu = report.MTU
		}
	}
}

// registry has the figures of a probe, under the names of blackbox_exporter where it has
// them.
func (f *found) registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, value float64) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		g.Set(value)
		registry.MustRegister(g)
	}
	success, protocol := 0.0, 6.0
	if f.stats.IsAlive() {
		success = 1
	}
	gauge("probe_success", "Whether the target answered: 1 or 0.", success)
	gauge("probe_duration_seconds", "How long the probe took, including the name lookup.", f.took.Seconds())
	gauge("probe_dns_lookup_time_seconds", "How long the name lookup took.", f.lookup.Seconds())
	if !f.address.IsValid() {
		return registry
	}
	if f.address.Is4() {
		protocol = 4
	}
	gauge("probe_ip_protocol", "Whether IPv4 or IPv6 was used: 4 or 6.", protocol)
	hash := fnv.New32a()
	hash.Write(f.address.AsSlice())
	gauge("probe_ip_addr_hash", "Hash of the probed address, to detect changes.", float64(hash.Sum32()))
	phases := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "probe_icmp_duration_seconds", Help: "How long the probe took, by phase; rtt is the mean of the round-trip times."}, []string{"phase"})
	registry.MustRegister(phases)
	phases.WithLabelValues("resolve").Set(f.lookup.Seconds())
	phases.WithLabelValues("setup").Set(max(f.setup, 0).Seconds())
	phases.WithLabelValues("rtt").Set(f.stats.AvgRTT().Seconds())
	gauge("probe_icmp_packets_sent", "Packets sent.", float64(f.stats.PacketsSent))
	gauge("probe_icmp_packets_received", "Packets answered by the target in time.", float64(f.stats.PacketsReceived))
	gauge("probe_icmp_packet_loss_ratio", "Share of packets that were lost or could not be sent, 0 to 1.", f.loss())
	if f.route != nil {
		gauge("probe_route_hops", "Length of the path to the target in hops, as far as known.", float64(len(f.route.Hops)))
		gauge("probe_route_reached", "Whether the path is known up to the target: 1 or 0.", oneIf(f.route.Reached))
	}
	if f.mtu > 0 {
		gauge("probe_path_mtu_bytes", "Largest packet that reaches the target, in bytes with headers.", float64(f.mtu))
	}
	if success == 1 {
		gauge("probe_icmp_reply_hop_limit", "TTL or hop limit of the last reply.", float64(f.last.ReplyTTL))
		gauge("probe_icmp_reply_dscp", "DSCP of the last reply.", float64(f.last.ReplyTrafficClass>>2))
		gauge("probe_icmp_rtt_min_seconds", "Minimum round-trip time.", f.stats.MinRTT().Seconds())
		gauge("probe_icmp_rtt_max_seconds", "Maximum round-trip time.", f.stats.MaxRTT().Seconds())
	}
	return registry
}
