package main

import (
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

func TestATrailIsInSendingOrder(t *testing.T) {
	const ms = time.Millisecond
	answer := func(seq int, rtt time.Duration) icmplib.Result {
		return icmplib.Result{Seq: seq, Status: icmplib.StatusReply, RTT: rtt}
	}
	silence := func(seq int) icmplib.Result { return icmplib.Result{Seq: seq, Status: icmplib.StatusNoReply} }
	late, duplicate := answer(1, 9*ms), answer(0, 8*ms)
	late.Late, duplicate.Duplicate = true, true
	for _, tt := range []struct {
		name    string
		results []icmplib.Result
		want    []time.Duration
	}{
		{"replies", []icmplib.Result{answer(0, 1*ms), answer(1, 2*ms)}, []time.Duration{1 * ms, 2 * ms}},
		{"silence that is known after the next reply", []icmplib.Result{answer(1, 2*ms), silence(0)}, []time.Duration{sparkLost, 2 * ms}},
		{"a probe that is still open", []icmplib.Result{answer(1, 2*ms)}, []time.Duration{sparkOpen, 2 * ms}},
		{"a late answer does not undo silence", []icmplib.Result{answer(0, ms), silence(1), late}, []time.Duration{ms, sparkLost}},
		{"a duplicate changes nothing", []icmplib.Result{answer(0, ms), duplicate}, []time.Duration{ms}},
		{"an ICMP error", []icmplib.Result{{Seq: 0, Status: icmplib.StatusUnreachable}}, []time.Duration{sparkError}},
		{"what only informs", []icmplib.Result{{Seq: 0, Status: icmplib.StatusRedirect}}, []time.Duration{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var trail trail
			for _, r := range tt.results {
				trail.add(r)
			}
			if got := trail.last(10); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("it forgets what is long ago", func(t *testing.T) {
		var trail trail
		for seq := range trailLength + 5 {
			trail.add(answer(seq, time.Duration(seq)))
		}
		trail.add(answer(4, ms)) // too late to be drawn
		last := trail.last(trailLength + 1)
		if len(last) != trailLength || last[0] != 5 || last[trailLength-1] != trailLength+4 {
			t.Errorf("got %d, from %v to %v", len(last), last[0], last[len(last)-1])
		}
	})
}
