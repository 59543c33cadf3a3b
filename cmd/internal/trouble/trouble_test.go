package trouble

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
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
		{good, route(icmplib.EndGap, 1, 2, 0, 0), "the trace gets as far as hop 2 (192.0.2.2), gap; at hop 3 answers nobody, where 192.0.2.3, 192.0.2.9 did"},
		{good, route(icmplib.EndLoop, 1, 7, 8, 7), "the trace gets as far as hop 4 (192.0.2.7), loop; at hop 2 answers 192.0.2.7, where 192.0.2.2, 192.0.2.3, 192.0.2.9 did"},
		{good, good, "the trace reached it, the way is as it was"},
		{nil, good, "the trace reached it, and there is no route to compare with"},
		{nil, route(icmplib.EndMaxHops, 0, 0), "nobody on the way answers, max-hops"},
		{route(icmplib.EndReached, 1, 0, 9), route(icmplib.EndUnreachable, 1, 2), "the trace gets as far as hop 2 (192.0.2.2), unreachable; at hop 3 answers nobody, where 192.0.2.9 did"},
	} {
		if got := Compare(tt.good, tt.now); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestTheRouteIsTracedAtOnceAndComparedWithTheLastGoodOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := make(chan *icmplib.Route, 1)
		var told []string
		traces := 0
		tracer := New(func(ctx context.Context, _ netip.Addr) (*icmplib.Route, error) {
			traces++
			select {
			case r := <-next:
				return r, nil
			case <-ctx.Done():
				return nil, errors.New("the end")
			}
		}, func(f Finding) { told = append(told, f.String()) })
		tracer.Take(t.Context(), "a", host, None)
		tracer.Take(t.Context(), "a", host, Up)
		tracer.Take(t.Context(), "a", host, Down) // it is being traced already
		next <- route(icmplib.EndReached, 1, 9)
		synctest.Wait()
		tracer.Take(t.Context(), "a", host, Down)
		next <- route(icmplib.EndGap, 1, 0)
		tracer.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		tracer.Take(ctx, "a", host, Down)
		synctest.Wait()
		cancel()
		tracer.Wait()
		if want := []string{"a is down: the trace gets as far as hop 1 (192.0.2.1), gap; at hop 2 answers nobody, where 192.0.2.9 did"}; traces != 3 || !slices.Equal(told, want) {
			t.Errorf("%d traces tell %q, want %q", traces, told, want)
		}
	})
}
