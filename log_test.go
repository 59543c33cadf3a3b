package icmplib_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// logged returns how a value is logged.
func logged(value any) string {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key != "v" && a.Value.Kind() != slog.KindGroup {
			return slog.Attr{} // time, level and message
		}
		return a
	}})).Info("", "v", value)
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "v.", "")
}

func TestWhatIsLogged(t *testing.T) {
	near, far := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("192.0.2.7")
	reply := icmplib.Result{Dst: far, Seq: 3, Status: icmplib.StatusReply, Responder: far, RTT: 12 * time.Millisecond}
	expired := icmplib.Result{
		Dst: far, Status: icmplib.StatusTTLExpired, Responder: near, Type: icmp.V4TimeExceeded, RTT: time.Millisecond, TTL: 1, Late: true,
	}
	var stats icmplib.Stats
	stats.Add(reply)
	stats.Add(icmplib.Result{Dst: far, Seq: 4, Status: icmplib.StatusNoReply})
	failure := errors.New("no such host")
	for _, tc := range []struct {
		value any
		want  string
	}{
		{stats, `sent=2 received=1 loss=0.5 min=12ms avg=12ms max=12ms`},
		{&icmplib.Host{Name: "web", Address: far, Stats: stats}, `name=web address=192.0.2.7 sent=2 received=1 loss=0.5 min=12ms avg=12ms max=12ms`},
		{icmplib.Host{Name: "nowhere", Err: failure}, `name=nowhere sent=0 received=0 loss=0 error="no such host"`},
		{reply, `dst=192.0.2.7 seq=3 status=reply rtt=12ms`},
		{expired, `dst=192.0.2.7 seq=0 status=ttl-expired responder=198.51.100.1 ttl=1 rtt=1ms type="Time Exceeded" code="Time to Live exceeded in Transit" late=true`},
		{icmplib.StreamResult{Tag: 9, Result: reply}, `tag=9 dst=192.0.2.7 status=reply rtt=12ms`},
		{icmplib.Hop{Distance: 2, Status: icmplib.StatusNoReply}, `distance=2 address=* status=no-reply sent=0 received=0 loss=0`},
		{&icmplib.Route{Name: "192.0.2.7", Address: far, Reached: true, End: icmplib.EndReached, Hops: make([]icmplib.Hop, 2)}, `address=192.0.2.7 reached=true end=reached hops=2`},
		{&icmplib.Snapshot{Round: 4, Results: []icmplib.Result{reply}}, `round=4 reached=false end=unknown hops=0 results=1`},
		{icmplib.Event{Kind: icmplib.EventRouteChange, Round: 7, Distance: 3, From: near, To: far}, `kind=route-change round=7 distance=3 from=198.51.100.1 to=192.0.2.7`},
		{icmplib.MTUReport{Address: far, MTU: 1400, Reached: true, Exact: true}, `address=192.0.2.7 mtu=1400 reached=true confirmed=false exact=true`},
		{icmplib.LossReport{Address: far, Verdict: icmplib.LossFound, From: 3}, `address=192.0.2.7 verdict=loss reached=false from=3`},
		{icmplib.Graph{Complete: true}, `hops=0 edges=0 diamonds=0 complete=true`},
		{icmplib.Counters{PacketsSent: 2, Dropped: 1}, `sent=2 dropped=1`},
		{icmplib.TraceEvent{Kind: icmplib.TraceSilent, Dst: far, TTL: 64}, `kind=silent protocol=icmp dst=192.0.2.7 ttl=64`},
		{icmplib.WatchEvent{Kind: icmplib.WatchGone, ID: "a", Host: "web"}, `kind=gone host=web id=a`},
		{socket.Raw, `v=raw`},
		{&socket.OpError{Op: "send", Err: failure}, `v="send on auto IP version 0 socket: no such host"`},
		{&icmplib.ConfigError{Field: "TTL", Value: 256, Allowed: "1 to 255"}, `v="TTL is 256: allowed is 1 to 255"`},
	} {
		if got := logged(tc.value); got != tc.want {
			t.Errorf("%T is logged as\n\t%s, want\n\t%s", tc.value, got, tc.want)
		}
	}
}

// Whatever marshals to JSON as an object of its own, and is no part of another, has fields
// to log.
func TestWhatMarshalsCanBeLogged(t *testing.T) {
	parts := []reflect.Type{reflect.TypeFor[icmplib.LossShare](), reflect.TypeFor[icmplib.GraphNode]()}
	for _, zero := range zeroValues["."] {
		if _, ok := zero.(json.Marshaler); !ok {
			continue
		}
		if _, ok := zero.(slog.LogValuer); !ok && !slices.Contains(parts, reflect.TypeOf(zero)) {
			t.Errorf("%T has no LogValue", zero)
		}
	}
}
