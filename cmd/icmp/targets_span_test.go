package main

import (
	"slices"
	"strings"
	"testing"
)

// firstOf returns the first n targets of a span.
func firstOf(s span, n int) (names []string) {
	s.share(order{shards: 1}, 0, func(name string) bool {
		names = append(names, name)
		return len(names) < n
	})
	return names
}

func TestWhatATargetStandsFor(t *testing.T) {
	for _, tt := range []struct {
		name  string
		word  string
		all   bool
		count int64    // -1: beyond an int64
		first []string // the first three, at most
		last  string
	}{
		{"a name", "www.example", false, 1, []string{"www.example"}, "www.example"},
		{"an address", "10.0.0.1", false, 1, []string{"10.0.0.1"}, "10.0.0.1"},
		{"an address as it was written", "2001:DB8:0::1", false, 1, []string{"2001:DB8:0::1"}, "2001:DB8:0::1"},
		{"an address with a zone that has a hyphen", "fe80::1%br-lan", false, 1, []string{"fe80::1%br-lan"}, "fe80::1%br-lan"},
		{"a name with a hyphen", "www-1.example", false, 1, []string{"www-1.example"}, "www-1.example"},
		{"a name of one label with a hyphen", "rack7-20", false, 1, []string{"rack7-20"}, "rack7-20"},
		{"a name that begins with an address", "10.0.0.1-dsl.example", false, 1, []string{"10.0.0.1-dsl.example"}, "10.0.0.1-dsl.example"},
		{"a prefix without network and broadcast address", "10.0.0.0/29", false, 6, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, "10.0.0.6"},
		{"the same with them", "10.0.0.0/29", true, 8, []string{"10.0.0.0", "10.0.0.1", "10.0.0.2"}, "10.0.0.7"},
		{"a prefix by any of its addresses", "10.0.0.77/24", false, 254, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, "10.0.0.254"},
		{"the longest prefix that has both", "10.0.0.4/30", false, 2, []string{"10.0.0.5", "10.0.0.6"}, "10.0.0.6"},
		{"a point-to-point link, both ends of RFC 3021", "10.0.0.4/31", false, 2, []string{"10.0.0.4", "10.0.0.5"}, "10.0.0.5"},
		{"a single address as a prefix", "10.0.0.4/32", false, 1, []string{"10.0.0.4"}, "10.0.0.4"},
		{"a big prefix", "10.0.0.0/8", false, 1<<24 - 2, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, "10.255.255.254"},
		{"all of IPv4", "0.0.0.0/0", true, 1 << 32, []string{"0.0.0.0", "0.0.0.1", "0.0.0.2"}, "255.255.255.255"},
		{"an IPv6 prefix, which has no broadcast address", "2001:db8::/126", false, 4, []string{"2001:db8::", "2001:db8::1", "2001:db8::2"}, "2001:db8::3"},
		{"an IPv6 prefix over the middle of the address", "2001:db8::/63", false, -1, []string{"2001:db8::", "2001:db8::1", "2001:db8::2"}, "2001:db8:0:1:ffff:ffff:ffff:ffff"},
		{"a single IPv6 address as a prefix", "::1/128", false, 1, []string{"::1"}, "::1"},
		{"all of IPv6", "::/0", false, -1, []string{"::", "::1", "::2"}, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"a prefix of IPv4-mapped addresses", "::ffff:10.0.0.0/126", false, 2, []string{"10.0.0.1", "10.0.0.2"}, "10.0.0.2"},
		{"a range", "10.0.0.254-10.0.1.2", false, 5, []string{"10.0.0.254", "10.0.0.255", "10.0.1.0"}, "10.0.1.2"},
		{"a range by the last byte", "10.0.0.1-20", false, 20, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, "10.0.0.20"},
		{"a range of one", "10.0.0.1-1", false, 1, []string{"10.0.0.1"}, "10.0.0.1"},
		{"a range of all of IPv4", "0.0.0.0-255.255.255.255", false, 1 << 32, []string{"0.0.0.0", "0.0.0.1", "0.0.0.2"}, "255.255.255.255"},
		{"an IPv6 range", "2001:db8::ffff-2001:db8::1:1", false, 3, []string{"2001:db8::ffff", "2001:db8::1:0", "2001:db8::1:1"}, "2001:db8::1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSpan(tt.word, tt.all)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.last.count(); got != tt.count {
				t.Errorf("it stands for %d, want %d", got, tt.count)
			}
			if got := firstOf(s, 3); !slices.Equal(got, tt.first) {
				t.Errorf("the first are %q, want %q", got, tt.first)
			}
			if got := s.at(s.last); got != tt.last {
				t.Errorf("the last is %q, want %q", got, tt.last)
			}
		})
	}
}

// badWords are no targets.
var badWords = []struct {
	name string
	word string
	says string
}{
	{"nothing", "", "one name, address"},
	{"two words", "10.0.0.1 10.0.0.2", "one name, address"},
	{"too many bits", "10.0.0.0/33", "0 to 32 bits"},
	{"too many bits of IPv6", "2001:db8::/129", "0 to 128 bits"},
	{"IPv4-mapped addresses and others", "::ffff:0.0.0.0/80", "96 to 128 bits"},
	{"IPv4-mapped addresses, one bit short", "::ffff:10.0.0.0/95", "96 to 128 bits"},
	{"a mask for bits", "10.0.0.0/255.0.0.0", "a prefix such as"},
	{"a prefix without bits", "10.0.0.0/", "a prefix such as"},
	{"a prefix of a name", "www.example/24", "a prefix such as"},
	{"a prefix with a zone", "fe80::%eth0/64", "a prefix such as"},
	{"an address cut short", "10.0.0/24", "a prefix such as"},
	{"a range from high to low", "10.0.0.20-10.0.0.1", "from low to high"},
	{"the same by the last byte", "10.0.0.20-1", "from low to high"},
	{"a last byte that is none", "10.0.0.1-256", "a range such as"},
	{"a first address that is none", "10.0.0.256-10.0.1.1", "a range such as"},
	{"an end that is no address", "10.0.0.1-host", "a range such as"},
	{"an end that is cut short", "10.0.0.1-10.0.0.x", "a range such as"},
	{"no end", "10.0.0.1-", "a range such as"},
	{"three addresses", "10.0.0.1-2-3", "a range such as"},
	{"from one family to the other", "10.0.0.1-::1", "of one family"},
	{"the other way round", "::1-10.0.0.1", "of one family"},
	{"the last group alone, whose base nobody can know", "2001:db8::1-20", "a range such as"},
	{"a range with a zone", "fe80::1-fe80::2%eth0", "a range such as"},
	{"a range of prefixes", "10.0.0.0/24-10.0.1.0/24", "a prefix such as"},
}

func TestABadTargetIsRefused(t *testing.T) {
	for _, tt := range badWords {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSpan(tt.word, false)
			if err == nil {
				t.Fatalf("it is taken for %+v", s)
			}
			for _, want := range []string{`"` + tt.word + `"`, tt.says, "is allowed"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message does not say %q: %v", want, err)
				}
			}
		})
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, tt := range badWords {
		f.Add(tt.word, false)
	}
	for _, word := range []string{"www.example", "10.0.0.0/8", "::/0", "::ffff:10.0.0.0/96", "10.0.0.1-20", "::1-::2", "fe80::1%br-lan"} {
		f.Add(word, true)
	}
	f.Fuzz(func(t *testing.T, word string, all bool) {
		s, err := parseSpan(word, all)
		switch {
		case err != nil:
			if !strings.Contains(err.Error(), "is allowed") {
				t.Errorf("the message does not say what is allowed: %v", err)
			}
		case s.name != "" && (s.name != printable(word) || s.last != number{}):
			t.Errorf("%q became %+v", word, s)
		case s.name == "":
			if _, overflow := numberOf(s.first).add(s.last); overflow {
				t.Errorf("%q ends behind the last address: %+v", word, s)
			}
			again, err := parseSpan(s.at(number{})+"-"+s.at(s.last), all)
			if err != nil || again != s {
				t.Errorf("%q is %+v, and as a range %+v, %v", word, s, again, err)
			}
		}
	})
}
