package main

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
)

func TestOpenRequestsAreToldWhenTheNextOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var told []int
		o := &openProbes{interval: time.Second, began: began, settled: map[int]bool{}, tell: func(seq int) { told = append(told, seq) }}
		go o.follow(ctx)
		answer := func(seq int, after time.Duration) {
			time.Sleep(time.Until(began.Add(after)))
			o.note(icmplib.Result{Dst: target4, Seq: seq, Status: icmplib.StatusReply, Sent: began.Add(time.Duration(seq) * time.Second)})
		}
		answer(0, 20*time.Millisecond)
		answer(2, 2100*time.Millisecond)
		answer(1, 2500*time.Millisecond) // late: it has been told of
		time.Sleep(2 * time.Second)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !slices.Equal(told, []int{1, 3}) {
			t.Errorf("told of %v, want 1 and 3", told)
		}
	})
}
