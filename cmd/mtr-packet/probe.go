package main

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// Defaults and bounds of send-probe.
const (
	defaultTTL     = 255
	defaultTimeout = 10 * time.Second
	defaultSize    = 64 // bytes of the whole IP packet
	maxSize        = 9000
	minLocalPort   = 1024

	ipv4Header      = 20
	ipv6Header      = 40
	transportHeader = 8 // of ICMP and UDP
)

// errArgument is an argument that cannot be used.
var errArgument = errors.New("invalid-argument")

// request is a send-probe command, understood.
type request struct {
	dst     netip.Addr
	size    int // of the IP packet
	pattern int // byte of the payload; negative: none asked for
	options icmplib.ProbeOptions
}

// parse reads the arguments of send-probe into the memory of an earlier request. Those
// that are unknown are passed over.
func (r *request) parse(c *command) error {
	*r = request{size: defaultSize, pattern: -1}
	r.options.Timeout = defaultTimeout
	r.options.Packet.TTL = defaultTTL
	for _, a := range c.arguments {
		if set, known := setters[a.name]; known {
			if err := set(r, a.value); err != nil {
				return err
			}
		}
	}
	if !r.dst.IsValid() {
		return errArgument
	}
	r.shape()
	return nil
}

// setters read one argument each.
var setters = map[string]func(r *request, value string) error{
	"ip-4": func(r *request, v string) (err error) { r.dst, err = address(v, true); return err },
	"ip-6": func(r *request, v string) (err error) { r.dst, err = address(v, false); return err },
	"local-ip-4": func(r *request, v string) (err error) {
		r.options.Packet.Source, err = address(v, true)
		return err
	},
	"local-ip-6": func(r *request, v string) (err error) {
		r.options.Packet.Source, err = address(v, false)
		return err
	},
	"local-device": func(r *request, v string) error { r.options.Packet.Interface = v; return nil },
	"protocol": func(r *request, v string) (err error) {
		r.options.Packet.Protocol, err = icmplib.ParseProtocol(v)
		return err
	},
	"port":       func(r *request, v string) error { return port(&r.options.Packet.Port, v, 1) },
	"local-port": func(r *request, v string) error { return port(&r.options.Packet.SourcePort, v, minLocalPort) },
	"ttl":        func(r *request, v string) error { return number(&r.options.Packet.TTL, v, 1, 255) },
	"tos":        func(r *request, v string) error { return number(&r.options.Packet.TrafficClass, v, 0, 255) },
	"size":       func(r *request, v string) error { return number(&r.size, v, 0, maxSize) },
	"bit-pattern": func(r *request, v string) error {
		return number(&r.pattern, v, 0, 255)
	},
	"timeout": func(r *request, v string) error {
		var seconds int
		err := number(&seconds, v, 0, 3600)
		r.options.Timeout = max(time.Duration(seconds)*time.Second, time.Microsecond) // 0: not to wait at all
		return err
	},
	"mark": func(r *request, v string) error {
		n, err := strconv.ParseUint(v, 10, 32)
		r.options.Packet.Mark = uint32(n)
		return err
	},
}

func address(v string, is4 bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(v)
	if err != nil || a.Is4() != is4 {
		return a, errArgument
	}
	return a, nil
}

func number(n *int, v string, low, high int) (err error) {
	*n, err = strconv.Atoi(v)
	if err != nil || *n < low || *n > high {
		return errArgument
	}
	return nil
}

func port(p *uint16, v string, low int) error {
	var n int
	if err := number(&n, v, low, math.MaxUint16); err != nil {
		return err
	}
	*p = uint16(n)
	return nil
}

// sendProbe adds the probe that a command asks for to the batch.
func (s *server) sendProbe(c *command) {
	r := &s.request
	if err := r.parse(c); err != nil {
		s.answers.answer(c.token, "invalid-argument")
		return
	}
	s.batch = append(s.batch, icmplib.StreamProbe{Dst: r.dst, Tag: uint64(int64(c.token)), ProbeOptions: r.options})
}

// shape makes the payload that gives the packet its size, and the port fit its
// protocol. A size below the headers' is raised to them.
func (r *request) shape() {
	p := &r.options.Packet
	header := ipv4Header
	if icmp.VersionOf(r.dst) == icmp.V6 {
		header = ipv6Header
	}
	payload := max(0, r.size-header-transportHeader)
	switch {
	case p.Protocol == icmplib.ICMP:
		p.Port, p.SourcePort = 0, 0
	case p.Protocol != icmplib.UDP:
		return // no payload
	}
	switch {
	case r.pattern >= 0 && p.Protocol == icmplib.ICMP:
		p.Payload = slices.Repeat([]byte{byte(r.pattern)}, payload)
	case payload == 0:
		p.Size = -1
	default:
		p.Size = payload
	}
}
