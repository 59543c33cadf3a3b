package trouble

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib"
)

func TestADetectorTellsEachChangeOnce(t *testing.T) {
	for _, tt := range []struct{ fates, want string }{
		{"+++", "U.."},
		{"+--+---+", "U....." + "DU"},
		{"---", "..D"},
		{"------+", "..D...U"},
		{"+-+-+-+", "U......"},
		{"+---+---", "U..DU..D"},
	} {
		d := Detector{Losses: 3}
		var got strings.Builder
		for _, fate := range tt.fates {
			got.WriteByte(".UD"[d.Note(fate == '+')])
		}
		if got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.fates, &got, tt.want)
		}
	}
}

var host = netip.MustParseAddr("192.0.2.9")

// route is one of routers with these last bytes; 0 is a silent hop, 9 the host.
func route(end icmplib.RouteEnd, bytes ...byte) *icmplib.Route {
	r := &icmplib.Route{Address: host, End: end, Reached: end == icmplib.EndReached}
	for i, b := range bytes {
		h := icmplib.Hop{Distance: i + 1}
		if b != 0 {
			h.Responders = []icmplib.Responder{{Address: netip.AddrFrom4([4]byte{192, 0, 2, b}), PacketsReceived: 1}}
			h.Stats = icmplib.Stats{PacketsSent: 1, PacketsReceived: 1}
		}
		r.Hops = append(r.Hops, h)
	}
	return r
}

func TestRoutesAreCompared(t *testing.T) {
	good := route(icmplib.EndReached, 1, 2, 3, 9)
	for _, tt := range []struct {
		good, now *icmplib.Route
		want      string
	}{
		{good, route(icmplib.EndGap, 1, 2, 0, 0), "the trace ends at hop 2 (192.0.2.2), gap; at hop 3, nobody answers instead of 192.0.2.3, 192.0.2.9"},
		{good, route(icmplib.EndLoop, 1, 7, 8, 7), "the trace ends at hop 4 (192.0.2.7), loop; at hop 2, 192.0.2.7 answers instead of 192.0.2.2, 192.0.2.3, 192.0.2.9"},
		{good, good, "the trace reached it, the route is unchanged"},
		{nil, good, "the trace reached it, and no earlier route is known"},
		{nil, route(icmplib.EndMaxHops, 0, 0), "no hop answers, max-hops"},
		{route(icmplib.EndReached, 1, 0, 9), route(icmplib.EndUnreachable, 1, 2), "the trace ends at hop 2 (192.0.2.2), unreachable; at hop 3, nobody answers instead of 192.0.2.9"},
	} {
		if got := Compare(tt.good, tt.now); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestLossAboveItsBoundIsToldOnce(t *testing.T) {
	note := func(l *Loss, fates string) (told int) {
		for _, fate := range fates {
			if l.Note(fate == '+') == Lossy {
				told++
			}
		}
		return told
	}
	for _, tt := range []struct {
		name  string
		bound float64
		fates string
		want  int
	}{
		{"too few to say", 0.2, strings.Repeat("-", 19), 0},
		{"enough", 0.2, strings.Repeat("-", 20), 1},
		{"no bound", 0, strings.Repeat("-", 100), 0},
		{"just the bound", 0.25, strings.Repeat("+++-", 30), 0},
		{"more", 0.24, strings.Repeat("+++-", 30), 1},
		{"it goes on", 0.2, strings.Repeat("++-", 100), 1},
		{"it is better, but not well", 0.2, strings.Repeat("++-", 30) + strings.Repeat("++++++-", 30) + strings.Repeat("++-", 30), 1},
		{"it is well, and bad again", 0.2, strings.Repeat("++-", 30) + strings.Repeat("+", 64) + strings.Repeat("++-", 30), 2},
	} {
		if got := note(&Loss{Bound: tt.bound}, tt.fates); got != tt.want {
			t.Errorf("%s: told %d times, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAFindingSaysWhetherTheRouteHasChanged(t *testing.T) {
	good, other := route(icmplib.EndReached, 1, 2, 9), route(icmplib.EndReached, 1, 7, 9)
	for _, tt := range []struct {
		f       Finding
		outcome string
		text    string
	}{
		{Finding{Down, good, nil}, "unknown", "a is down: the trace reached it, and no earlier route is known"},
		{Finding{Down, good, good}, "same", "a is down: the trace reached it, the route is unchanged"},
		{Finding{Lossy, other, good}, "changed", "a loses packets: the trace reached it, at hop 2, 192.0.2.7 answers instead of 192.0.2.2, 192.0.2.9"},
	} {
		if tt.f.Outcome() != tt.outcome || tt.f.Text("a") != tt.text {
			t.Errorf("%s: %s, want %s: %s", tt.f.Outcome(), tt.f.Text("a"), tt.outcome, tt.text)
		}
	}
}

// tracing is a Tracer whose traces end when the test says so.
type tracing struct {
	*Tracer[string]
	started []string
	answer  map[string]chan *icmplib.Route
	told    []string
	mu      sync.Mutex
}

func newTracing(ctx context.Context, cfg Config[string]) *tracing {
	r := &tracing{answer: map[string]chan *icmplib.Route{}}
	cfg.Trace = func(ctx context.Context, host string) (*icmplib.Route, error) {
		r.mu.Lock()
		r.started = append(r.started, host)
		answer := make(chan *icmplib.Route)
		r.answer[host] = answer
		r.mu.Unlock()
		select {
		case route := <-answer:
			return route, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	cfg.Tell = func(host string, f Finding) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, f.Text(host))
	}
	r.Tracer = New(ctx, cfg)
	return r
}

// end ends a trace that runs.
func (r *tracing) end(host string, route *icmplib.Route) {
	synctest.Wait()
	r.answer[host] <- route
	synctest.Wait()
}

func TestTheRouteIsTracedAtOnceAndComparedWithTheLastGoodOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newTracing(ctx, Config[string]{})
		r.Take("a", None)
		r.Take("a", Up)
		synctest.Wait()
		r.Take("a", Down) // which is looked into when the trace that runs has ended
		r.Take("a", Up)
		r.end("a", route(icmplib.EndReached, 1, 9))
		r.end("a", route(icmplib.EndGap, 1, 0))
		want := []string{"a is down: the trace ends at hop 1 (192.0.2.1), gap; at hop 2, nobody answers instead of 192.0.2.9"}
		if !slices.Equal(r.started, []string{"a", "a"}) || !slices.Equal(r.told, want) {
			t.Errorf("%q were traced and %q is told, want %q", r.started, r.told, want)
		}
		r.Take("a", Down)
		synctest.Wait()
		cancel()
		r.Wait()
		r.Take("a", Down) // nothing begins after the end
		if len(r.started) != 3 || len(r.told) != 1 {
			t.Errorf("%q were traced and %q is told", r.started, r.told)
		}
	})
}

func TestTroubleComesFirstAndTracesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newTracing(ctx, Config[string]{AtOnce: 2, Hosts: 6})
		for _, host := range []string{"a", "b", "c"} {
			r.Take(host, Up)
		}
		synctest.Wait()
		if !slices.Equal(r.started, []string{"a"}) {
			t.Errorf("%q are traced, want a alone: the others are well", r.started)
		}
		for _, host := range []string{"d", "e", "f", "g"} {
			r.Take(host, Down)
		}
		r.Take("c", Lossy) // which waited as one that is up
		synctest.Wait()
		for _, host := range []string{"d", "e", "f", "c", "a", "b"} {
			r.end(host, route(icmplib.EndGap, 1))
		}
		if want := []string{"a", "d", "e", "f", "c", "b"}; !slices.Equal(r.started, want) || r.LeftOut() != 1 {
			t.Errorf("%q were traced, want %q; %d were left out, want 1", r.started, want, r.LeftOut())
		}
		r.Forget("a")
		r.Take("g", Down)
		synctest.Wait()
		r.Forget("g") // while it is traced: nothing is told of it
		told := len(r.told)
		r.end("g", route(icmplib.EndGap, 1))
		if r.started[len(r.started)-1] != "g" || len(r.told) != told {
			t.Errorf("%q were traced and %q is told", r.started, r.told)
		}
		cancel()
		r.Wait()
	})
}
