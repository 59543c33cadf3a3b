package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// targetsOf reads words that are targets.
func targetsOf(t testing.TB, words ...string) *targets {
	t.Helper()
	var r targetReader
	if err := r.read(words, nil); err != nil {
		t.Fatal(err)
	}
	return &r.targets
}

var mixed = []string{"10.0.0.0/28", "www.example", "10.0.1.1-7", "2001:db8::/125", "10.9.9.9", "mail.example"}

func TestTargetsAreDrawnInTheirOrder(t *testing.T) {
	got := slices.Collect(targetsOf(t, "10.0.0.0/30", "www.example", "::1-::2", "10.9.9.9").seq(order{shards: 1}))
	want := []string{"10.0.0.1", "10.0.0.2", "www.example", "::1", "::2", "10.9.9.9"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSharesAreDisjointAndTogetherComplete(t *testing.T) {
	list := targetsOf(t, mixed...)
	whole := slices.Collect(list.seq(order{shards: 1}))
	for _, shards := range []uint64{1, 2, 3, 7, 32, 100} {
		for _, shuffled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d shares, shuffled %v", shards, shuffled), func(t *testing.T) {
				var all []string
				for shard := range shards {
					o := order{shard: shard, shards: shards, shuffle: shuffled, seed: shard + 1}
					share := slices.Collect(list.seq(o))
					if int64(len(share)) != list.count(o) {
						t.Errorf("share %d has %d targets, and counts %d", shard, len(share), list.count(o))
					}
					for _, name := range share {
						if n := slices.Index(whole, name); uint64(n)%shards != shard {
							t.Errorf("%s is target %d, and in share %d", name, n, shard)
						}
					}
					all = append(all, share...)
				}
				want := slices.Sorted(slices.Values(whole))
				if slices.Sort(all); !slices.Equal(all, want) {
					t.Errorf("together they are %q\nwant %q", all, want)
				}
			})
		}
	}
}

func TestAShareOfAHugePrefixStepsOverTheOthers(t *testing.T) {
	next := firstOfOrder(targetsOf(t, "::/0"), order{shard: 3, shards: 1 << 32}, 2)
	if want := []string{"::3", "::1:0:3"}; !slices.Equal(next, want) {
		t.Errorf("got %q, want %q", next, want)
	}
}

func firstOfOrder(list *targets, o order, n int) (names []string) {
	for name := range list.seq(o) {
		if names = append(names, name); len(names) == n {
			break
		}
	}
	return names
}

func TestNamesAndAddressesAreShuffledTogether(t *testing.T) {
	list := targetsOf(t, mixed...)
	whole := slices.Collect(list.seq(order{shards: 1}))
	got := slices.Collect(list.seq(order{shards: 1, shuffle: true, seed: 3}))
	if slices.Equal(got, whole) {
		t.Error("they are in their order")
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(whole))) {
		t.Errorf("got %q", got)
	}
}

func TestMoreTargetsThanANumberCanCountAreRefused(t *testing.T) {
	for _, words := range [][]string{{"::/0", "10.0.0.1"}, {"10.0.0.1", "::/0"}, {"::/1", "8000::/1", "::/1"}} {
		var r targetReader
		err := r.read(words, nil)
		if err == nil || !strings.Contains(err.Error(), words[len(words)-1]) || !strings.Contains(err.Error(), "2^128") {
			t.Errorf("%q: got %v", words, err)
		}
	}
	if n := targetsOf(t, "::/1", "8000::/1").count(order{shards: 1}); n != -1 {
		t.Errorf("all addresses of IPv6 in two halves are %d", n)
	}
}
