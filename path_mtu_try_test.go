package icmplib

import (
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

// What an answer to a large packet means, where small ones are answered by the
// target or end at a router.
func TestWhatAnAnswerSaysOfASize(t *testing.T) {
	target, router := netip.MustParseAddr("10.0.9.9"), netip.MustParseAddr("10.0.1.1")
	for _, tt := range []struct {
		name   string
		result Result
		usual  Status
		want   mtuVerdict
		clear  bool
	}{
		{"silence", Result{Status: StatusNoReply}, StatusReply, mtuVerdict{}, false},
		{"a reply", Result{Status: StatusReply, Responder: target}, StatusReply, mtuVerdict{fate: mtuPasses}, true},
		{"a reply from farther", Result{Status: StatusReply, Responder: target}, StatusTTLExpired, mtuVerdict{fate: mtuPasses}, true},
		{"the end of its TTL where that was to be", Result{Status: StatusTTLExpired, Responder: router}, StatusTTLExpired, mtuVerdict{fate: mtuPasses}, true},
		{"the end of its TTL elsewhere", Result{Status: StatusTTLExpired, Responder: router}, StatusReply, mtuVerdict{}, false},
		{"a redirect", Result{Status: StatusRedirect, Responder: router}, StatusReply, mtuVerdict{}, false},
		{"how much fits", Result{Status: StatusPacketTooBig, Responder: router, MTU: 1400}, StatusReply, mtuVerdict{mtuRefused, 1400, router}, true},
		{"a firewall that does not want it", Result{
			Status: StatusUnreachable, Responder: router,
			Type: icmp.V4DestinationUnreachable, Code: icmp.V4CodeAdministrativelyProhibited,
		}, StatusReply, mtuVerdict{mtuRefused, 0, router}, true},
		{"a firewall that wants none", Result{Status: StatusUnreachable, Responder: router}, StatusUnreachable, mtuVerdict{fate: mtuPasses}, true},
		{"the target has no such port", Result{
			Status: StatusUnreachable, Responder: target,
			Type: icmp.V4DestinationUnreachable, Code: icmp.V4CodePortUnreachable,
		}, StatusReply, mtuVerdict{fate: mtuPasses}, true},
		{"this system does not send it", Result{Status: StatusPacketTooBig, Cause: ErrPacketTooBig}, StatusReply, mtuVerdict{fate: mtuLocal}, true},
		{"this system is out of order", Result{Status: StatusNetworkDown, Cause: ErrUnreachable}, StatusReply, mtuVerdict{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.result.Dst = target
			var v mtuVerdict
			if clear := v.take(&tt.result, tt.usual); clear != tt.clear || v != tt.want {
				t.Errorf("%+v, clear: %v; want %+v", v, clear, tt.want)
			}
		})
	}
}

// If seven small and seven large packets have the same chance, all of so many answers
// are to small ones once in binomial(14, k) / binomial(7, k) times.
func TestHowLikelyOnlySmallOnesAreAnswered(t *testing.T) {
	for answered, want := range []float64{1, 2, 91.0 / 21, 364.0 / 35, 1001.0 / 35, 2002.0 / 21, 429, 3432} {
		if got := 1 / onlySmall(answered, 7); got < want*0.999 || got > want*1.001 {
			t.Errorf("%d answers: once in %.1f times, want %.1f", answered, got, want)
		}
	}
}
