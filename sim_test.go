package icmplib

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A scenario is a file with a simulated network, what is to be done in it, and
// what is to come out:
//
//	#: ping 10.0.9.9 count=6 timeout=1s
//	#: want sent=6 received=4 silent=2 min=40ms
type scenario struct {
	name    string
	text    string
	command directive
	want    directive
}

// directive is a line of a scenario: words, and values by name.
type directive struct {
	words  []string
	values map[string]string
}

func parseDirective(line string) directive {
	d := directive{values: map[string]string{}}
	for word := range strings.FieldsSeq(line) {
		if name, value, ok := strings.Cut(word, "="); ok {
			d.values[name] = value
		} else {
			d.words = append(d.words, word)
		}
	}
	return d
}

// loadScenarios reads all files that match a pattern.
func loadScenarios(t *testing.T, pattern string) (all []scenario) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario matches %s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parseScenario(t, file, string(text)))
	}
	return all
}

func parseScenario(t *testing.T, file, text string) scenario {
	t.Helper()
	s := scenario{name: strings.TrimSuffix(filepath.Base(file), ".net"), text: text}
	s.want.values = map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line, ok := strings.CutPrefix(lines.Text(), "#:")
		if !ok {
			continue
		}
		switch d := parseDirective(line); {
		case len(d.words) > 0 && d.words[0] == "want":
			for name, value := range d.values {
				s.want.values[name] = value
			}
		default:
			s.command = d
		}
	}
	if len(s.command.words) < 2 || len(s.want.values) == 0 {
		t.Fatalf("%s does not say what to do and what to want", file)
	}
	return s
}

var (
	durations = regexp.MustCompile(`\b[0-9.]+(us|ms|s)\b`)
	rates     = regexp.MustCompile(`\brate=[0-9.]+`)
)

// slowed returns scenarios in which everything takes so many times longer. What is wanted
// stays as it is: least times.
func slowed(t *testing.T, scenarios []scenario, times int) (slow []scenario) {
	t.Helper()
	if times == 1 {
		return scenarios
	}
	for _, s := range scenarios {
		s.text = durations.ReplaceAllStringFunc(s.text, func(text string) string {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			return (d * time.Duration(times)).String()
		})
		s.text = rates.ReplaceAllStringFunc(s.text, func(text string) string {
			r, err := strconv.ParseFloat(strings.TrimPrefix(text, "rate="), 64)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			return fmt.Sprintf("rate=%g", r/float64(times))
		})
		s.command = parseScenario(t, s.name, s.text).command
		defaults := map[string]time.Duration{"timeout": defaultTimeout}
		if s.command.words[0] == "ping" {
			defaults["interval"] = defaultPingInterval
		}
		for name, d := range defaults {
			if _, ok := s.command.values[name]; !ok {
				s.command.values[name] = (d * time.Duration(times)).String()
			}
		}
		slow = append(slow, s)
	}
	return slow
}

// network builds the scenario's network anew.
func (s *scenario) network(t *testing.T) *netsim.Network {
	t.Helper()
	spec, err := netsim.ParseString(s.text)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	n, err := netsim.New(spec)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return n
}

// simProber returns a Prober whose sockets are those of a simulated network.
func simProber(t *testing.T, n *netsim.Network, datagram bool) *Prober {
	return simProberWith(t, n, netsim.ConnOptions{Datagram: datagram}, nil)
}

// simProberWith is simProber with options, which hands out each socket.
func simProberWith(t *testing.T, n *netsim.Network, opts netsim.ConnOptions, opened func(*netsim.Conn)) *Prober {
	t.Helper()
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.sum = 0 // the flows are those that the networks were made for
	p.routed = func(*Packet, netip.Addr) bool { return true }
	p.listen = func(key socketKey) (engine.Medium, error) {
		if key.Protocol != icmp.ICMP {
			return simTransport(n, key, &opts)
		}
		opts.DontFragment = key.DontFragment
		c := n.Listen(key.Version, opts)
		if opened != nil {
			opened(c)
		}
		return engine.OverEcho(c), nil
	}
	return p
}

// simTransport opens a connection for a protocol other than ICMP.
func simTransport(n *netsim.Network, key socketKey, opts *netsim.ConnOptions) (engine.Medium, error) {
	c, err := n.ListenTransport(key.Version, key.Protocol, netsim.TransportOptions{
		Datagram: opts.Datagram, QueueLimit: opts.QueueLimit, FirstPort: key.FirstPort, Ports: key.Ports, DontFragment: key.DontFragment,
	})
	if err != nil {
		return nil, err
	}
	return engine.OverTransport(c), nil
}

// number and duration read a value of a directive, or return the default.
func (d *directive) number(t *testing.T, name string, def int) int {
	t.Helper()
	value, ok := d.values[name]
	if !ok {
		return def
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, value, err)
	}
	return n
}

func (d *directive) duration(t *testing.T, name string, def time.Duration) time.Duration {
	t.Helper()
	value, ok := d.values[name]
	if !ok {
		return def
	}
	v, err := time.ParseDuration(value)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, value, err)
	}
	return v
}

// pingOptions are those that the command gives.
func (d *directive) pingOptions(t *testing.T) *PingOptions {
	t.Helper()
	return &PingOptions{
		Count:    d.number(t, "count", 0),
		Interval: d.duration(t, "interval", 0),
		Timeout:  d.duration(t, "timeout", 0),
		Packet: Packet{
			TTL:          d.number(t, "ttl", 0),
			Size:         d.number(t, "size", 0),
			TrafficClass: d.number(t, "class", 0),
			Broadcast:    d.number(t, "broadcast", 0) == 1,
			DontFragment: d.number(t, "df", 0) == 1,

			RequireSource: d.number(t, "require-source", 0) == 1,
		},
	}
}
