package policy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func prefixes(words ...string) (all []netip.Prefix) {
	for _, w := range words {
		all = append(all, netip.MustParsePrefix(w))
	}
	return all
}

func TestTargets(t *testing.T) {
	everything := prefixes("0.0.0.0/0", "::/0")
	for _, tt := range []struct {
		name       string
		owner, hub Limits
		addr       string
		allowed    bool
	}{
		{"public", Limits{}, Limits{}, "9.9.9.9", true},
		{"public v6", Limits{}, Limits{}, "2620:fe::9", true},
		{"private", Limits{}, Limits{}, "10.1.2.3", false},
		{"shared", Limits{}, Limits{}, "100.64.0.1", false},
		{"unique local", Limits{}, Limits{}, "fd12::1", false},
		{"loopback", Limits{}, Limits{}, "127.0.0.1", false},
		{"loopback v6", Limits{}, Limits{}, "::1", false},
		{"mapped loopback", Limits{}, Limits{}, "::ffff:127.0.0.1", false},
		{"compatible loopback", Limits{}, Limits{}, "::7f00:1", false},
		{"translated private", Limits{}, Limits{}, "64:ff9b::a00:1", false},
		{"translated public", Limits{}, Limits{}, "64:ff9b::909:909", true},
		{"6to4 private", Limits{}, Limits{}, "2002:a00:1::1", false},
		{"multicast", Limits{}, Limits{}, "224.0.0.1", false},
		{"multicast v6", Limits{}, Limits{}, "ff02::1", false},
		{"broadcast", Limits{}, Limits{}, "255.255.255.255", false},
		{"unspecified", Limits{}, Limits{}, "0.0.0.0", false},
		{"link-local with a zone", Limits{}, Limits{}, "fe80::1%eth0", false},
		{"metadata", Limits{}, Limits{}, "169.254.169.254", false},
		{"everything does not open private", Limits{Allow: everything}, Limits{}, "10.1.2.3", false},
		{"everything opens public", Limits{Allow: everything}, Limits{}, "9.9.9.9", true},
		{"listed", Limits{Allow: prefixes("10.0.0.0/8")}, Limits{}, "10.1.2.3", true},
		{"listed alone", Limits{Allow: prefixes("10.0.0.0/8")}, Limits{}, "9.9.9.9", false},
		{"wider than the block", Limits{Allow: prefixes("8.0.0.0/6")}, Limits{}, "10.1.2.3", false},
		{"link-local does not open metadata", Limits{Allow: prefixes("169.254.0.0/16")}, Limits{}, "169.254.169.254", false},
		{"metadata listed", Limits{Allow: prefixes("169.254.169.254/32")}, Limits{}, "169.254.169.254", true},
		{"denied", Limits{Deny: prefixes("9.9.9.0/24")}, Limits{}, "9.9.9.9", false},
		{"the hub opens nothing", Limits{}, Limits{Allow: prefixes("10.0.0.0/8")}, "10.1.2.3", false},
		{"the hub narrows", Limits{}, Limits{Allow: prefixes("8.0.0.0/8")}, "9.9.9.9", false},
		{"the hub denies", Limits{Allow: prefixes("10.0.0.0/8")}, Limits{Deny: prefixes("10.1.0.0/16")}, "10.1.2.3", false},
		{"a zone", Limits{Allow: prefixes("fe80::/10")}, Limits{}, "fe80::1%eth0", true},
	} {
		err := New(tt.owner, tt.hub).Target(netip.MustParseAddr(tt.addr))
		var refusal *Refusal
		if (err == nil) != tt.allowed || err != nil && !errors.As(err, &refusal) {
			t.Errorf("%s: %s: %v, want it allowed: %v", tt.name, tt.addr, err, tt.allowed)
		}
	}
}

func TestPeersMayBePrivate(t *testing.T) {
	p := New(Limits{Deny: prefixes("10.9.0.0/16")}, Limits{})
	for addr, allowed := range map[string]bool{
		"10.1.2.3": true, "fd12::1": true, "9.9.9.9": true,
		"127.0.0.1": false, "224.0.0.1": false, "169.254.169.254": false, "10.9.1.1": false,
	} {
		if err := p.Peer(netip.MustParseAddr(addr)); (err == nil) != allowed {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// Whatever the hub says, each bound is that of the owner or a lower one.
func TestTheHubOnlyNarrows(t *testing.T) {
	owner := Limits{Protocols: []string{"icmp", "tcp"}, PacketsPerSecond: 100, Concurrency: 4, Longest: Duration(time.Minute)}
	for _, hub := range []Limits{
		{}, {PacketsPerSecond: 1_000_000, Concurrency: 1000, Longest: Duration(time.Hour), Protocols: []string{"icmp", "tcp", "udp"}},
		{PacketsPerSecond: 10, Concurrency: 1, Longest: Duration(time.Second), Protocols: []string{"icmp"}},
	} {
		p := New(owner, hub)
		if p.PacketsPerSecond() > 100 || p.Concurrency() > 4 || p.Longest() > time.Minute || p.Protocol("udp") == nil {
			t.Errorf("%+v widens: %d %d %v", hub, p.PacketsPerSecond(), p.Concurrency(), p.Longest())
		}
	}
	p := New(owner, Limits{PacketsPerSecond: 10, Concurrency: 1, Longest: Duration(time.Second), Protocols: []string{"icmp"}})
	if p.PacketsPerSecond() != 10 || p.Concurrency() != 1 || p.Protocol("tcp") == nil || p.Protocol("icmp") != nil {
		t.Error("the hub does not narrow")
	}
	if p.Duration(2*time.Second) == nil || p.Duration(time.Second) != nil {
		t.Error("the length is not bounded by what the hub says")
	}
}

func TestPolicyFiles(t *testing.T) {
	l, err := Parse([]byte("allow: [0.0.0.0/0, 10.0.0.0/8]\ndeny: [9.9.9.0/24]\nprotocols: [icmp]\npackets_per_second: 50\nconcurrency: 2\nlongest: 90s\n"))
	if err != nil || len(l.Allow) != 2 || l.PacketsPerSecond != 50 || time.Duration(l.Longest) != 90*time.Second {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err := Parse(nil); err != nil || l.Or(Default()).Concurrency != 8 {
		t.Errorf("an empty file: %+v, %v", l, err)
	}
	for text, says := range map[string]string{
		"allowed: [10.0.0.0/8]\n": "allowed", "allow: [10.1.0.0/8]\n": "write 10.0.0.0/8",
		"protocols: [smtp]\n": "smtp", "concurrency: -1\n": "negative", "longest: soon\n": "soon",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", text, err, says)
		}
	}
}
