package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
)

func TestOpenRequestsAreToldWhenTheNextOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var told []int
		o := &openProbes{interval: time.Second, began: began, settled: map[int]bool{}, tell: func(seq int) { told = append(told, seq) }}
		stop := o.start()
		answer := func(seq int, after time.Duration) {
			time.Sleep(time.Until(began.Add(after)))
			o.note(icmplib.Result{Dst: target4, Seq: seq, Status: icmplib.StatusReply, Sent: began.Add(time.Duration(seq) * time.Second)})
		}
		answer(0, 20*time.Millisecond)
		answer(2, 2100*time.Millisecond)
		answer(1, 2500*time.Millisecond) // late: it has been told of
		time.Sleep(2 * time.Second)
		stop()
		if !slices.Equal(told, []int{1, 3}) {
			t.Errorf("told of %v, want 1 and 3", told)
		}
	})
}

// Behind the last request no other leaves, and it is not told of.
func TestTheLastRequestIsNotToldOfAsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int
		o := &openProbes{interval: time.Second, count: 3, began: time.Now(), settled: map[int]bool{}, tell: func(seq int) { told = append(told, seq) }}
		stop := o.start()
		time.Sleep(time.Minute)
		stop()
		if !slices.Equal(told, []int{0, 1}) {
			t.Errorf("told of %v, want 0 and 1", told)
		}
	})
}

// What is being told when the pings end is told before the summary.
func TestTheEndWaitsForWhatIsBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := false
		o := &openProbes{interval: time.Second, began: time.Now(), settled: map[int]bool{}, tell: func(int) {
			time.Sleep(500 * time.Millisecond)
			told = true
		}}
		stop := o.start()
		time.Sleep(1200 * time.Millisecond)
		stop()
		if !told {
			t.Error("the end did not wait")
		}
	})
}
