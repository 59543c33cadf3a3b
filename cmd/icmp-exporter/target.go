package main

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goicmp/icmplib"
)

// What is told of a target.
var (
	addressesGauge     = gauge("icmp_target_addresses", "Probed addresses of the target.")
	resolveErrorsTotal = counter("icmp_resolve_errors_total", "Failed lookups of the target's name.")
	resolveTimeGauge   = gauge("icmp_resolve_duration_seconds", "How long the last lookup of the target's name took.")
)

// job is one host to probe, as the configuration has it.
type job struct {
	host    string
	labels  map[string]string
	probing icmplib.WatchProbing

	following following
}

// id tells jobs apart: it is what their series are told apart by. To Prometheus an
// empty label is none.
func (j *job) id() string { return j.idOf(j.probing.Family) }

// idOf is the id that the job would have if it were of a family.
func (j *job) idOf(family icmplib.Family) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %v %v", j.host, j.probing.Packet.Protocol, family)
	for _, name := range slices.Sorted(maps.Keys(j.labels)) {
		if value := j.labels[name]; value != "" {
			fmt.Fprintf(&b, " %s=%q", name, value)
		}
	}
	return b.String()
}

// rival returns the line of a job whose series would be the same, for some addresses; 0:
// there is none.
func (j *job) rival(lines map[string]int) int {
	for _, family := range []icmplib.Family{icmplib.AnyFamily, icmplib.IPv4, icmplib.IPv6} {
		mine := j.probing.Family
		if line := lines[j.idOf(family)]; line != 0 && (family == mine || family == icmplib.AnyFamily || mine == icmplib.AnyFamily) {
			return line
		}
	}
	return 0
}

// isName reports whether the host has to be looked up.
func (j *job) isName() bool {
	_, err := netip.ParseAddr(j.host)
	return err != nil
}

// watch is the job as a Watch takes it.
func (j *job) watch(t *target) icmplib.WatchTarget {
	probing := j.probing
	if !j.isName() {
		probing.ResolveEvery = -1 // an address stays what it is
	}
	return icmplib.WatchTarget{Host: j.host, ID: j.id(), Value: t, Probing: &probing}
}

// probesAs reports whether two jobs have the same packets sent.
func (j *job) probesAs(other *job) bool { return reflect.DeepEqual(&j.probing, &other.probing) }

// target is a host that is probed, and what is known of it. The lock of its world guards
// it.
type target struct {
	job    *job
	labels map[string]string // of all its series
	own    labelSet          // of what is about no address

	following following

	addresses     map[netip.Addr]*series
	resolveErrors uint64
	resolveTime   time.Duration // of the last look-up
}

func newTarget(j *job) *target {
	labels := maps.Clone(j.labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["target"], labels["protocol"] = j.host, j.probing.Packet.Protocol.String()
	return &target{
		job: j, labels: labels, own: labelSetOf(labels).with("family", strings.ToLower(j.probing.Family.String())),
		addresses: map[netip.Addr]*series{}, following: j.following,
	}
}

// figures appends what is known to all.
func (t *target) figures(all []prometheus.Metric) []prometheus.Metric {
	all = append(all, addressesGauge.of(t.own, float64(len(t.addresses))), resolveErrorsTotal.of(t.own, float64(t.resolveErrors)))
	if t.resolveTime > 0 {
		all = append(all, resolveTimeGauge.of(t.own, t.resolveTime.Seconds()))
	}
	for _, s := range t.addresses {
		all = s.figures(all)
	}
	return all
}
