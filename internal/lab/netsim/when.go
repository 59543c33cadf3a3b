package netsim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib/internal/wire"
)

// When says to which packets something happens. The zero value is never.
//
// Packets are counted for each node, from 1, as they arrive there on their way
// from the client. What happens to an answer goes by the number of the packet
// that it answers, but by the answer's own protocol.
type When struct {
	Only  Traffic // zero: any traffic
	Share float64 // the probability, where Nth and Every are zero
	Nth   []Range // these packets
	Every int     // every so many: 3 is the packets 3, 6, 9 ...
}

// Range is a range of packet numbers. Last 0 means without end.
type Range struct{ First, Last int }

// Traffic is a set of protocols and IP versions. A packet is in the set when
// its protocol is, or no protocol is given; the same with its version.
type Traffic uint8

// The elements of Traffic.
const (
	ICMP Traffic = 1 << iota // of either version
	UDP
	TCP
	SCTP
	V4
	V6
)

// Always is each packet.
var Always = When{Share: 1}

var trafficNames = map[string]Traffic{"icmp": ICMP, "udp": UDP, "tcp": TCP, "sctp": SCTP, "v4": V4, "v6": V6}

// isNever reports whether it cannot happen to any packet.
func (w *When) isNever() bool { return w.Share == 0 && w.Nth == nil && w.Every == 0 }

// covers reports whether it happens to p, the packet with number n.
func (w *When) covers(p *packet, n int, random *rand.Rand) bool {
	if w.isNever() || !w.Only.has(p) {
		return false
	}
	switch {
	case w.Every > 0:
		return n%w.Every == 0
	case w.Nth != nil:
		for _, r := range w.Nth {
			if n >= r.First && (n <= r.Last || r.Last == 0) {
				return true
			}
		}
		return false
	}
	return w.Share >= 1 || random.Float64() < w.Share
}

func (t Traffic) has(p *packet) bool {
	if t == 0 {
		return true
	}
	version, protocol := V4, Traffic(0)
	if p.v6 {
		version = V6
	}
	switch p.proto {
	case wire.ProtocolICMP, wire.ProtocolICMPv6:
		protocol = ICMP
	case wire.ProtocolUDP:
		protocol = UDP
	case wire.ProtocolTCP:
		protocol = TCP
	case wire.ProtocolSCTP:
		protocol = SCTP
	}
	const versions = V4 | V6
	return (t&versions == 0 || t&version != 0) && (t&^versions == 0 || t&protocol != 0)
}

var (
	errPercent = errors.New("a probability is a percentage from 0% to 100%")
	errOrdinal = errors.New("packets are counted from 1: 3 or 3-5 or 3-")
	errEvery   = errors.New("every/N needs a number of at least 1")
)

// parseWhen reads what stands behind the @ of a word.
func parseWhen(s string) (When, error) {
	var w When
	traffic, rest, found := strings.Cut(s, ":")
	only, known := parseTraffic(traffic)
	switch {
	case known:
		w.Only = only
		if !found {
			rest = "all"
		}
	case found:
		return When{}, fmt.Errorf("unknown traffic %q", traffic)
	default:
		rest = s
	}
	return w, w.parseOccasion(rest)
}

func parseTraffic(s string) (t Traffic, ok bool) {
	for name := range strings.SplitSeq(s, "+") {
		bit, ok := trafficNames[name]
		if !ok {
			return 0, false
		}
		t |= bit
	}
	return t, true
}

func (w *When) parseOccasion(s string) (err error) {
	if s == "all" {
		w.Share = 1
		return nil
	}
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		w.Share, err = strconv.ParseFloat(percent, 64)
		w.Share /= 100
		if err != nil || !(w.Share >= 0 && w.Share <= 1) {
			return errPercent
		}
		return nil
	}
	if n, ok := strings.CutPrefix(s, "every/"); ok {
		if w.Every, err = strconv.Atoi(n); err != nil || w.Every < 1 {
			return errEvery
		}
		return nil
	}
	for item := range strings.SplitSeq(s, ",") {
		r, err := parseRange(item)
		if err != nil {
			return err
		}
		w.Nth = append(w.Nth, r)
	}
	return nil
}

func parseRange(s string) (r Range, err error) {
	first, last, isRange := strings.Cut(s, "-")
	if r.First, err = strconv.Atoi(first); err != nil || r.First < 1 {
		return r, errOrdinal
	}
	switch {
	case !isRange:
		r.Last = r.First
	case last != "":
		if r.Last, err = strconv.Atoi(last); err != nil || r.Last < r.First {
			return r, errOrdinal
		}
	}
	return r, nil
}
