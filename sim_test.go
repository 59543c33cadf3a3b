package icmplib

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/netsim"
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
	p.listen = func(key socketKey) (engine.Medium, error) {
		if key.protocol != ICMP {
			return simTransport(n, key, &opts)
		}
		opts.DontFragment = key.dontFragment
		c := n.Listen(key.version, opts)
		if opened != nil {
			opened(c)
		}
		return engine.OverEcho(c), nil
	}
	return p
}

// simTransport opens a connection for a protocol other than ICMP.
func simTransport(n *netsim.Network, key socketKey, opts *netsim.ConnOptions) (engine.Medium, error) {
	c, err := n.ListenTransport(key.version, key.protocol.number(), netsim.TransportOptions{
		Datagram: opts.Datagram, QueueLimit: opts.QueueLimit, FirstPort: key.port, DontFragment: key.dontFragment,
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
		},
	}
}

// figure names a figure of a host, as a scenario wants it.
func figure(h *Host, results []Result, name string) string {
	switch name {
	case "sent":
		return strconv.Itoa(h.PacketsSent)
	case "received":
		return strconv.Itoa(h.PacketsReceived)
	case "silent":
		return strconv.Itoa(h.Silent)
	case "errors":
		return strconv.Itoa(h.ICMPErrors)
	case "late":
		return strconv.Itoa(h.Late)
	case "duplicates":
		return strconv.Itoa(h.Duplicates)
	case "altered":
		return strconv.Itoa(h.Altered)
	case "suspect":
		return strconv.Itoa(h.Suspect)
	case "loss":
		return strconv.FormatFloat(h.PacketLoss(), 'f', 2, 64)
	case "min":
		return h.MinRTT().String()
	case "avg":
		return h.AvgRTT().String()
	case "max":
		return h.MaxRTT().String()
	case "last":
		return h.LastRTT().String()
	case "jitter":
		return h.Jitter().String()
	case "stddev":
		return h.StdDev().String()
	case "late-rtt":
		return h.MaxLateRTT().String()
	case "rtts":
		return join(h.RTTs())
	}
	return lastFigure(results, name)
}

// lastFigure names a figure of the results: of each in the order of their
// coming, or of the last one.
func lastFigure(results []Result, name string) string {
	if len(results) == 0 {
		return ""
	}
	last := results[len(results)-1]
	switch name {
	case "statuses":
		statuses := make([]Status, len(results))
		for i, r := range results {
			statuses[i] = r.Status
		}
		return join(statuses)
	case "seqs":
		seqs := make([]int, len(results))
		for i, r := range results {
			seqs[i] = r.Seq
		}
		return join(seqs)
	case "responder":
		return last.Responder.String()
	case "reply-ttl":
		return strconv.Itoa(last.ReplyTTL)
	case "reply-class":
		return strconv.Itoa(int(last.ReplyTrafficClass))
	case "size":
		return strconv.Itoa(last.Size)
	case "mtu":
		return strconv.Itoa(last.MTU)
	case "code":
		return fmt.Sprintf("%d/%d", last.Type, last.Code)
	case "mpls":
		return labels(last.MPLS)
	}
	return "no figure of this name"
}

func labels(stack []icmp.MPLSLabel) string {
	return strings.ReplaceAll(join(stack), ",E=", "/E=")
}

// join writes values with commas between them.
func join[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ",")
}
