package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// targetsOf opens a list of words.
func targetsOf(t testing.TB, o order, words ...string) *targetList {
	t.Helper()
	o.shards = max(o.shards, 1)
	l := &targetList{order: o}
	if err := l.open(t.Context(), words, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// drawn collects the targets of a list.
func drawn(t testing.TB, l *targetList) []string { return slices.Collect(l.seq(t.Context())) }

var mixed = []string{"10.0.0.0/28", "www.example", "10.0.1.1-7", "2001:db8::/125", "10.9.9.9", "mail.example"}

func TestTargetsAreDrawnInTheirOrder(t *testing.T) {
	got := drawn(t, targetsOf(t, order{}, "10.0.0.0/30", "www.example", "::1-::2", "10.9.9.9"))
	want := []string{"10.0.0.1", "10.0.0.2", "www.example", "::1", "::2", "10.9.9.9"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSharesAreDisjointAndTogetherComplete(t *testing.T) {
	whole := drawn(t, targetsOf(t, order{}, mixed...))
	for _, shards := range []uint64{1, 2, 3, 7, 32, 100} {
		for _, shuffled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d shares, shuffled %v", shards, shuffled), func(t *testing.T) {
				var all []string
				for shard := range shards {
					o := order{shard: shard, shards: shards, shuffle: shuffled, seed: shard + 1}
					list := targetsOf(t, o, mixed...)
					share := drawn(t, list)
					if int64(len(share)) != list.count() {
						t.Errorf("share %d has %d targets, and counts %d", shard, len(share), list.count())
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
	next := firstOfOrder(t, targetsOf(t, order{shard: 3, shards: 1 << 32}, "::/0"), 2)
	if want := []string{"::3", "::1:0:3"}; !slices.Equal(next, want) {
		t.Errorf("got %q, want %q", next, want)
	}
}

func firstOfOrder(t testing.TB, list *targetList, n int) (names []string) {
	for name := range list.seq(t.Context()) {
		if names = append(names, name); len(names) == n {
			break
		}
	}
	return names
}

func TestNamesAndAddressesAreShuffledTogether(t *testing.T) {
	whole := drawn(t, targetsOf(t, order{}, mixed...))
	got := drawn(t, targetsOf(t, order{shuffle: true, seed: 3}, mixed...))
	if slices.Equal(got, whole) {
		t.Error("they are in their order")
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(whole))) {
		t.Errorf("got %q", got)
	}
}

func TestMoreTargetsThanANumberCanCountAreRefused(t *testing.T) {
	for _, words := range [][]string{{"::/0", "10.0.0.1"}, {"10.0.0.1", "::/0"}, {"::/1", "8000::/1", "::/1"}} {
		l := targetList{order: order{shards: 1}}
		err := l.open(t.Context(), words, nil)
		if err == nil || !strings.Contains(err.Error(), words[len(words)-1]) || !strings.Contains(err.Error(), "2^128") {
			t.Errorf("%q: got %v", words, err)
		}
	}
	if n := targetsOf(t, order{}, "::/1", "8000::/1").count(); n != -1 {
		t.Errorf("all addresses of IPv6 in two halves are %d", n)
	}
}
