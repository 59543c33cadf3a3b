package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmptest"
)

// changes runs watch for a minute of virtual time, and returns what it said when.
func changes(t *testing.T, network string) []string {
	t.Helper()
	p := icmptest.NewProber(t, network, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var said []string
	start := time.Now()
	err := watch(ctx, p, "web", func(up bool) { said = append(said, fmt.Sprint(time.Since(start), " up: ", up)) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	return said
}

func TestTheThirdLossInARowRaisesTheAlarm(t *testing.T) {
	for _, tt := range []struct {
		name string
		lose string
		want []string
	}{
		{"nothing is lost", "", nil},
		{"two in a row are not enough", "lose@3-4,6-7", nil},
		{"the third raises it when its timeout is over", "lose@11-13", []string{"12.5s up: false", "13.02s up: true"}},
		{"it is raised once", "lose@11-30", []string{"12.5s up: false", "30.02s up: true"}},
		{"what comes too late is lost", "answer-late=900ms@11-13", []string{"12.5s up: false", "13.02s up: true"}},
		{"a second answer proves nothing new", "duplicate@11,12 lose@13-15", []string{"14.5s up: false", "15.02s up: true"}},
		{"a host that is refused is down", "refuse=host-prohibited@1-", []string{"2.02s up: false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := changes(t, fmt.Sprintf("client 192.0.2.1\nnode web 198.51.100.7 delay=10ms %s\npath 198.51.100.7/32 web", tt.lose))
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}
