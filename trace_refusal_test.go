package icmplib

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// What a router on the way says against a probe, in the words of netsim, and
// what it means for a trace. A code that an IP version does not have is empty.
var refusals4And6 = []struct {
	word string
	v4   string // type/code
	v6   string
	want Status
}{
	{"network", "3/0", "1/0", StatusUnreachable},
	{"host", "3/1", "1/3", StatusUnreachable},
	{"protocol", "3/2", "", StatusUnreachable},
	{"port", "3/3", "1/4", StatusUnreachable},
	{"source-route", "3/5", "1/7", StatusUnreachable},
	{"network-unknown", "3/6", "", StatusUnreachable},
	{"host-unknown", "3/7", "", StatusUnreachable},
	{"host-isolated", "3/8", "", StatusUnreachable},
	{"network-prohibited", "3/9", "1/1", StatusUnreachable},
	{"host-prohibited", "3/10", "", StatusUnreachable},
	{"network-service", "3/11", "", StatusUnreachable},
	{"host-service", "3/12", "", StatusUnreachable},
	{"prohibited", "3/13", "1/1", StatusUnreachable},
	{"precedence-violation", "3/14", "", StatusUnreachable},
	{"precedence-cutoff", "3/15", "", StatusUnreachable},
	{"scope", "", "1/2", StatusUnreachable},
	{"policy", "", "1/5", StatusUnreachable},
	{"reject-route", "", "1/6", StatusUnreachable},
	{"parameter:8", "12/0", "4/0", StatusParameterProblem},
	{"option-missing", "12/1", "4/2", StatusParameterProblem},
}

func TestATraceEndsWhereARouterRefuses(t *testing.T) {
	for _, r := range refusals4And6 {
		for family, code := range []string{r.v4, r.v6} {
			for _, v := range traceVariants {
				if code == "" {
					continue
				}
				t.Run(fmt.Sprintf("%s over IPv%d by %v", r.word, 4+2*family, v), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { checkRefusal(t, r.word, family, v, code, r.want) })
				})
			}
		}
	}
}

func checkRefusal(t *testing.T, word string, family int, v variant, code string, want Status) {
	p := simProber(t, refusing(word), v.datagram)
	defer p.Close()
	route, err := p.Traceroute(t.Context(), refusedTarget[family], &TracerouteOptions{Packet: Packet{Protocol: v.protocol}})
	if err != nil {
		t.Fatal(err)
	}
	checkRefused(t, route, family, v, code, want)
}

var refusedTarget = [2]string{"10.0.9.9", "2001:db8:9::9"}

// refusing is a network in which the second router refuses.
func refusing(word string) *netsim.Network {
	return netsim.MustParse(`
		client 192.0.2.1 2001:db8::1
		node r1 10.0.1.1 2001:db8:1::1 delay=5ms
		node r2 10.0.2.1 2001:db8:2::1 delay=5ms refuse=` + word + `
		node t 10.0.9.9 2001:db8:9::9 delay=10ms
		path 10.0.9.0/24 2001:db8:9::/64 r1 r2 t
	`)
}

func checkRefused(t *testing.T, route *Route, family int, v variant, code string, want Status) {
	t.Helper()
	end := EndUnreachable
	if v.protocol == UDP && (code == "3/3" || code == "1/4") {
		want, end = StatusRefused, EndRefused // it may be the target
	}
	router := []string{"10.0.2.1", "2001:db8:2::1"}[family]
	last := &route.Hops[len(route.Hops)-1]
	if route.End != end || len(route.Hops) != 3 || route.Hops[1].Status != StatusTTLExpired {
		t.Fatalf("route %+v", route)
	}
	if got := routeFigure(route, "code"); got != code || last.Status != want || last.Address.String() != router {
		t.Errorf("the last hop is %v, %v with code %s, want %v, %v with code %s", last.Address, last.Status, got, router, want, code)
	}
}

// What a router says beside forwarding is no hop and no end.
func TestATraceGoesOnWhereARouterOnlyWarns(t *testing.T) {
	for _, word := range []string{"quench", "redirect:192.0.2.9"} {
		for _, v := range traceVariants {
			t.Run(fmt.Sprintf("%s by %v", word, v), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := simProber(t, netsim.MustParse(`
						client 192.0.2.1
						node r1 10.0.1.1 delay=5ms warn=`+word+`
						node r2 10.0.2.1 delay=5ms
						node t 10.0.9.9 delay=10ms
						path 10.0.9.0/24 r1 r2 t
					`), v.datagram)
					defer p.Close()
					route, err := p.Traceroute(t.Context(), "10.0.9.9", &TracerouteOptions{Packet: Packet{Protocol: v.protocol}})
					if err != nil {
						t.Fatal(err)
					}
					if got := routeFigure(route, "hops"); got != "10.0.1.1,10.0.2.1,10.0.9.9" || !route.Reached {
						t.Errorf("hops %s, end %v", got, route.End)
					}
				})
			})
		}
	}
}
