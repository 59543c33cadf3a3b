package netsim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Noise is ICMP traffic that reaches the client without regard to what it
// sends.
type Noise struct {
	Kind    NoiseKind
	Rate    float64      // packets per second, in even distances
	From    []netip.Addr // one of these at random; none: of networks for documentation
	Options bool         // IPv4 options or IPv6 extension headers, in the packet and in what it quotes
}

// NoiseKind is what noise consists of.
type NoiseKind uint8

// The kinds of noise.
const (
	Replies   NoiseKind = iota // echo replies to other processes: any id and sequence
	Errors                     // errors about other processes' packets
	Garbage                    // errors that quote no packet
	Malformed                  // cut short, with a wrong checksum, of an unknown type
)

// noise is a Noise at work.
type noise struct {
	Noise
	node   node
	seed   uint64
	client []netip.Addr
}

var errNoise = errors.New("noise needs a rate above 0, at most a packet per nanosecond")

func (n *Network) addNoises(c *compiler, noises []Noise) error {
	for i, spec := range noises {
		if !(spec.Rate > 0 && spec.Rate <= 1e9) || spec.Kind > Malformed {
			return fmt.Errorf("noise %d: %w", i+1, errNoise)
		}
		for _, a := range spec.From {
			if !usable(a) {
				return fmt.Errorf("noise %d: %v %w", i+1, a, errBadAddress)
			}
		}
		s := &noise{Noise: spec, seed: mix(c.seed + hashString(fmt.Sprintf("noise %d", i+1))), client: n.all}
		s.node.Name = "noise"
		n.noises = append(n.noises, s)
	}
	return nil
}

// Noise returns the unsolicited packets that reach the client after from, and
// not after to, in order of time. They are the same whatever pieces a stretch
// of time is asked for in.
func (n *Network) Noise(from, to time.Time) []Delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin(from)
	var out []Delivery
	for _, s := range n.noises {
		for k := s.after(from.Sub(n.epoch)); ; k++ {
			at := n.epoch.Add(s.time(k))
			if at.After(to) {
				break
			}
			out = append(out, Delivery{At: at, Packet: n.walk.noise(s, k), Node: s.node.Name, Cause: "noise"})
		}
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return a.At.Compare(b.At) })
	return out
}

// nextNoise returns when the first noise after from arrives; the zero time if
// there never is any.
func (n *Network) nextNoise(from time.Time) (next time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin(from)
	for _, s := range n.noises {
		at := n.epoch.Add(s.time(s.after(from.Sub(n.epoch))))
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// time is when the k-th packet arrives, counted from 1, after the network's
// first moment.
func (s *noise) time(k int64) time.Duration {
	return time.Duration(float64(k) / s.Rate * float64(time.Second))
}

// after is the number of the first packet that arrives after t.
func (s *noise) after(t time.Duration) int64 {
	k := max(1, int64(math.Floor(t.Seconds()*s.Rate))-1)
	for s.time(k) <= t {
		k++
	}
	return k
}

// noise makes the k-th packet, which depends on k and the seed alone.
func (w *walk) noise(s *noise, k int64) []byte {
	random := rand.New(rand.NewPCG(s.seed, uint64(k)))
	to := s.client[random.IntN(len(s.client))]
	p := w.unsolicited(s, random, to)
	if s.Options {
		p.addOptions()
	}
	return p.b
}
