package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/goicmp/icmplib"
)

// In a large fleet every pair of sites is covered both ways, everybody is pinged by somebody
// of his site, and nobody pings himself.
func TestPeersCoverEveryPairOfSites(t *testing.T) {
	for _, sites := range []int{1, 2, 7, 60} {
		f := Fleet{}
		for i := range 200 {
			f.Agents = append(f.Agents, Member{Name: fmt.Sprintf("a%d", i), Site: fmt.Sprintf("s%d", i%sites)})
		}
		covered, pinged, most := map[[2]string]bool{}, map[string]bool{}, 0
		for _, m := range f.Agents {
			peers := f.Peers(m.Name)
			most = max(most, len(peers))
			for _, p := range peers {
				if p.Name == m.Name {
					t.Errorf("%s pings itself", m.Name)
				}
				covered[[2]string{m.Site, p.Site}] = true
				pinged[p.Name] = true
			}
		}
		if len(covered) != sites*sites || len(pinged) != 200 {
			t.Errorf("%d sites: %d of %d pairs of sites are covered, %d of 200 agents are pinged", sites, len(covered), sites*sites, len(pinged))
		}
		if most > 2+sites {
			t.Errorf("%d sites: somebody has %d peers", sites, most)
		}
	}
	small := Fleet{Agents: []Member{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	if peers := small.Peers("b"); len(peers) != 2 || peers[0].Name != "a" || peers[1].Name != "c" {
		t.Errorf("peers of b: %v", peers)
	}
	if peers := small.Peers("x"); peers != nil {
		t.Errorf("who is not enrolled has peers: %v", peers)
	}
}

func TestTaggedResultsAreTheLibrarys(t *testing.T) {
	host := icmplib.Host{Name: "example.net", Address: netip.MustParseAddr("192.0.2.1")}
	text, err := host.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	tagged := Tagged(text, "fra1", KindHost)
	var back icmplib.Host
	if err := json.Unmarshal(tagged, &back); err != nil || back.Name != host.Name {
		t.Errorf("%s: %v", tagged, err)
	}
	var tags struct{ Agent, Kind string }
	if err := json.Unmarshal(tagged, &tags); err != nil || tags.Agent != "fra1" || tags.Kind != "host" {
		t.Errorf("%s: %+v, %v", tagged, tags, err)
	}
	if got := string(Tagged([]byte("{}"), "a", "b")); got != `{"agent":"a","kind":"b"}` {
		t.Error(got)
	}
}

func TestPackedLines(t *testing.T) {
	packed, err := Pack([]byte("{\"a\":1}\n\n{\"b\":2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range Lines(text) {
		lines = append(lines, string(line))
	}
	if strings.Join(lines, " ") != `{"a":1} {"b":2}` {
		t.Error(lines)
	}
}

func TestShardsOfPrefixes(t *testing.T) {
	s := Shard{First: netip.MustParseAddr("10.0.0.254"), Count: 3}
	if got := strings.Join(s.List(), " "); got != "10.0.0.254 10.0.0.255 10.0.1.0" {
		t.Error(got)
	}
	s = Shard{First: netip.MustParseAddr("255.255.255.255"), Count: 3}
	if got := s.List(); len(got) != 1 {
		t.Error("addresses behind the last one:", got)
	}
}

func TestSignedRequests(t *testing.T) {
	pair, _ := nkeys.CreateUser()
	seed, _ := pair.Seed()
	public, _ := pair.PublicKey()
	token := &Token{Seed: string(seed)}
	now := time.Now()
	msg := nats.NewMsg("icmp.hub.enroll.admin")
	msg.Data = []byte("body")
	if err := token.Sign(msg, now); err != nil {
		t.Fatal(err)
	}
	signed := Signed(msg.Header)
	if err := Verify(public, msg.Subject, signed, msg.Data, now); err != nil {
		t.Error(err)
	}
	other, _ := nkeys.CreateUser()
	otherPublic, _ := other.PublicKey()
	for name, err := range map[string]error{
		"another key":     Verify(otherPublic, msg.Subject, signed, msg.Data, now),
		"another subject": Verify(public, "icmp.hub.revoke.admin", signed, msg.Data, now),
		"another body":    Verify(public, msg.Subject, signed, []byte("bodies"), now),
		"no signature":    Verify(public, msg.Subject, "", msg.Data, now),
		"an old one":      Verify(public, msg.Subject, signed, msg.Data, now.Add(time.Hour)),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"a", "fra1", "eu-west-1"} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "any", "hub", "a.b", "*", "a>", "-a", "A", "a b", strings.Repeat("a", 64)} {
		if CheckName(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

// What is read skips what it does not know, and misses nothing that an older one lacks.
func TestNeighbouringVersionsUnderstandEachOther(t *testing.T) {
	var p Presence
	if err := json.Unmarshal([]byte(`{"version":2,"name":"a","state":"ready","later":{"x":1}}`), &p); err != nil || p.State != StateReady {
		t.Errorf("%+v, %v", p, err)
	}
	var ask Ask
	if err := json.Unmarshal([]byte(`{"version":0,"id":"x","target":"t","measure":{"kind":"ping"}}`), &ask); err != nil {
		t.Error(err)
	}
	if m, err := ask.Measure.Filled(); err != nil || m.Count != 4 || m.Protocol != "icmp" {
		t.Errorf("%+v, %v", m, err)
	}
}

// What leaves this machine needs TLS, whatever the server says.
func TestOnlyLoopbackGoesWithoutTLS(t *testing.T) {
	for url, want := range map[string]bool{
		"nats://127.0.0.1:4222": false, "nats://localhost": false, "nats://[::1]:4222": false, "127.0.0.9": false,
		"nats://hub.example:4222": true, "hub.example": true, "nats://10.0.0.1": true, "nats://127.0.0.1:4222, nats://10.0.0.1:4222": true,
		"nats://localhost.example": true, "nats://0.0.0.0:4222": true, "": true,
	} {
		if got := leaves(url); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
}

func TestAlreadyThereIsOnlyThat(t *testing.T) {
	if AlreadyThere(errors.New("10071")) || AlreadyThere(nil) {
		t.Error("another error counts")
	}
}
