package icmplib

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// The answers to the probes of a hop, and whether the path ends there.
func TestTheAnswersOfAHopSayWhetherThePathEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		met  hopAnswers
		want RouteEnd
	}{
		{"silence", 0, EndUnknown},
		{"a router forwards", hopPasses, EndUnknown},
		{"the target answers", hopReached, EndReached},
		{"the target answers one probe and a router another", hopReached | hopPasses, EndReached},
		{"reached beats refused", hopReached | hopRefuses, EndReached},
		{"somebody refuses", hopRefuses, EndUnreachable},
		{"another address says that the port is closed", hopCloses, EndRefused},
		{"so it does, and the target answers another probe", hopCloses | hopReached, EndReached},
		{"so it does, and another probe passes", hopCloses | hopPasses, EndUnknown},
		{"so it does, and somebody refuses to forward", hopCloses | hopRefuses, EndUnreachable},
		{"one probe is refused and another passes", hopRefuses | hopPasses, EndUnknown},
	} {
		if got := tt.met.end(); got != tt.want {
			t.Errorf("%s: the end is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// planOf returns a plan of so many hops, with count probes to each of the first in
// flight.
func planOf(hops, flying, count int) *tracePlan {
	opts, _ := (&TracerouteOptions{MaxHops: hops, Count: count, Interval: -1, Timeout: time.Second}).withDefaults()
	p := newTracePlan(&opts, time.Unix(0, 0))
	for i := range flying {
		for range count {
			p.sent(i, time.Unix(0, 0))
			p.taken++
		}
	}
	return p
}

// answered is what somebody says of a probe to 10.0.9.9.
func answered(seq int, by string, status Status) *Result {
	r := &Result{Dst: netip.MustParseAddr("10.0.9.9"), Seq: seq, Status: status, Sent: time.Unix(0, 0), RTT: time.Millisecond}
	if by != "" {
		r.Responder = netip.MustParseAddr(by)
	}
	if status == StatusUnreachable {
		r.Type, r.Code = icmp.V4DestinationUnreachable, 1
	}
	return r
}

func TestALateErrorChangesNothingThatIsFinal(t *testing.T) {
	p := planOf(3, 3, 1)
	p.result(0, answered(0, "10.0.1.1", StatusTTLExpired), true)
	p.result(1, answered(0, "", StatusNoReply), true)
	for range 2 {
		if p.finish() == nil {
			t.Fatal("a hop with its fate is not final")
		}
	}
	late := answered(0, "10.0.1.1", StatusUnreachable)
	late.Late = true
	p.result(1, late, false)
	if p.done() || p.last != 2 || p.end != EndMaxHops {
		t.Errorf("after a late error the last hop is %d with %v", p.last, p.end)
	}
	p.result(2, answered(0, "", StatusNoReply), true)
	h := p.finish()
	if h == nil || h.End != EndMaxHops || !p.done() {
		t.Fatalf("the last hop is %+v", h)
	}
	p.result(2, late, false)
	if end, err := p.verdict(); end != EndMaxHops || err != nil || h.End != EndMaxHops || !h.IsSilent() || !p.done() {
		t.Errorf("an error after the end makes it %v, %v", end, err)
	}
}

// The hops behind a refusal are not probed, and are again when a probe passes it.
func TestOneRefusalEndsNoTrace(t *testing.T) {
	p := planOf(30, 1, 2)
	p.sent(1, time.Unix(0, 0))
	p.result(1, answered(0, "10.0.1.1", StatusUnreachable), true)
	if p.last != 1 || p.end != EndUnreachable {
		t.Errorf("a refusal makes hop %d the last, with %v", p.last, p.end)
	}
	p.sent(1, time.Unix(0, 0))
	p.result(1, answered(1, "10.0.2.1", StatusTTLExpired), true)
	if p.last != 29 || p.end != EndMaxHops {
		t.Errorf("when another probe passes, hop %d is the last, with %v", p.last, p.end)
	}
}

// Where the system takes no probe at all there is a reason, and no end.
func TestATraceThatSentNothingHasNoEnd(t *testing.T) {
	p := planOf(1, 0, 1)
	p.sent(0, time.Unix(0, 0))
	p.refuse = ErrUnreachable
	p.result(0, &Result{Status: StatusNetworkUnreachable}, true)
	h := p.finish()
	if end, err := p.verdict(); h == nil || h.End != EndUnknown || end != EndUnknown || err != ErrUnreachable {
		t.Errorf("hop %+v, end %v, %v", h, end, err)
	}
}
