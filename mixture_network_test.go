package icmplib

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// mixture is a random network for everything at once: two ways that share their
// first routers, with what is lost, late, doubled, limited, silent, and spread
// over several routers.
type mixture struct {
	random  *rand.Rand
	short   bool // some routers quote 8 bytes; nothing is late then
	text    string
	nodes   strings.Builder
	owners  map[string][]netip.Addr // of a node, the addresses that it answers from
	targets []netip.Addr
}

func randomMixture(random *rand.Rand, short bool) *mixture {
	m := &mixture{random: random, short: short, owners: map[string][]netip.Addr{}}
	var shared, paths strings.Builder
	for range random.IntN(3) {
		shared.WriteString(" " + m.router())
	}
	for i := 1; i <= 2; i++ {
		way := shared.String()
		for range 1 + random.IntN(3) {
			way += " " + m.element()
		}
		own := []netip.Addr{addressOf("10.9.%d.9", i), addressOf("2001:db8:9:%x::9", i)}
		target := m.node(m.one("", " tcp=80", " udp=33434", " udp-echo=33434", " deaf@20%"))
		m.owners[target] = append(m.owners[target], own...)
		m.targets = append(m.targets, own...)
		fmt.Fprintf(&paths, "path 10.9.%d.0/24 2001:db8:9:%x::/64%s %s\n", i, i, way, target)
	}
	noise := m.one("", "", "noise replies rate=20\nnoise errors rate=20\nnoise garbage rate=10\nnoise malformed rate=10\n", "spoof delay=1ms guesses=2 spread=2\n")
	m.text = fmt.Sprintf("seed %d\nclient 192.0.2.1 2001:db8::1\n%s%s%s", random.Uint32(), &m.nodes, &paths, noise)
	return m
}

func addressOf(format string, i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf(format, i)) }

// one returns one of several words.
func (m *mixture) one(words ...string) string { return words[m.random.IntN(len(words))] }

// perhaps returns a word once in so many times, with a random number for N.
func (m *mixture) perhaps(odds int, word string, most int) string {
	if m.random.IntN(odds) > 0 {
		return ""
	}
	return " " + strings.ReplaceAll(word, "N", strconv.Itoa(1+m.random.IntN(most)))
}

// element is a router, or several of which a packet passes one.
func (m *mixture) element() string {
	switch m.random.IntN(5) {
	case 0:
		return fmt.Sprintf("%s( %s | %s )", m.one("flow", "random", "turn", "time:20s"), m.router(), m.router())
	case 1:
		return fmt.Sprintf("flow( %s %s | %s )", m.router(), m.router(), m.router())
	}
	return m.router()
}

func (m *mixture) router() string {
	words := m.perhaps(6, "silent", 1) + m.perhaps(8, "rate=N burst=3", 20) + m.perhaps(4, "mtu=13N0", 9) +
		m.perhaps(9, "warn=redirect:10.0.0.9,2001:db8::9@10%", 1) + m.perhaps(20, "refuse=prohibited@5%", 1)
	if m.short {
		words += m.perhaps(3, "quote=8", 1)
	}
	return m.node(words)
}

func (m *mixture) node(words string) string {
	i := len(m.owners) + 1
	name := fmt.Sprintf("n%d", i)
	own := []netip.Addr{addressOf("10.1.%d.1", i), addressOf("2001:db8:1:%x::1", i)}
	fmt.Fprintf(&m.nodes, "node %s %v %v delay=%dus jitter=%dus%s", name, own[0], own[1], 1+m.random.IntN(9000), 1+m.random.IntN(2000), words)
	if m.random.IntN(8) == 0 {
		other := []netip.Addr{addressOf("10.2.%d.1", i), addressOf("2001:db8:2:%x::1", i)}
		fmt.Fprintf(&m.nodes, " from=%v,%v@50%%", other[0], other[1])
		own = append(own, other...)
	}
	m.owners[name] = own
	for _, word := range []string{"back-lose", "lose", "duplicate", "answer-duplicate"} {
		m.nodes.WriteString(m.perhaps(6, word+"@N%", 20))
	}
	if !m.short {
		m.nodes.WriteString(m.perhaps(6, "answer-late=N00ms@10%", 15))
	}
	m.nodes.WriteByte('\n')
	return name
}

// owns reports whether a node answers from an address.
func (m *mixture) owns(node string, a netip.Addr) bool { return slices.Contains(m.owners[node], a) }
