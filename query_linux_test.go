package icmplib

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

func answersProbes(t *testing.T) {
	if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_enable_probe", []byte("1"), 0); err != nil {
		t.Skipf("this kernel answers no extended echo requests: %v", err)
	}
}

func TestProbeAsksAboutAnInterface(t *testing.T) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
		mode socket.Mode
	}{
		{"raw", netlab.Config{Setup: answersProbes}, socket.Raw},
		{"unprivileged", netlab.Config{PingGroups: true, Unprivileged: true, Setup: answersProbes}, socket.Auto},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.lab, func(t *testing.T) {
				p, err := NewProber(&Config{Mode: tt.mode})
				if err != nil {
					t.Fatal(err)
				}
				for _, dst := range []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()} {
					r, err := p.Probe(t.Context(), dst, &ProbeOptions{ExtendedEcho: &icmp.ExtendedEcho{Local: true, Name: "lo"}})
					if err != nil || r.Status != StatusReply || r.ExtendedEcho == nil || !r.ExtendedEcho.Active || !r.ExtendedEcho.IPv4 {
						t.Fatalf("%v: %+v, %+v, %v", dst, r, r.ExtendedEcho, err)
					}
					if r.RTT <= 0 || r.Responder != dst || r.Sent.IsZero() || r.RTTSource != RTTClock {
						t.Errorf("%v: %+v", dst, r)
					}
					r, err = p.Probe(t.Context(), dst, &ProbeOptions{ExtendedEcho: &icmp.ExtendedEcho{Local: true, Name: "nosuch0"}})
					if err != nil || r.Status != StatusReply || r.ExtendedEcho.Active || r.Type.CodeString(r.Code) != "No Such Interface" {
						t.Errorf("%v: %+v, %v", dst, r, err)
					}
				}
				if c := p.Counters(); c.PacketsSent != 4 || c.PacketsReceived != 4 {
					t.Errorf("%+v", c)
				}
				p.Close()
				if c := p.Counters(); c.PacketsSent != 4 || c.PacketsReceived != 4 {
					t.Errorf("after Close: %+v", c)
				}
			})
		})
	}
}

func TestProbeAsksForTheTime(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		r, err := Probe(t.Context(), netip.MustParseAddr("127.0.0.1"), &ProbeOptions{Timestamp: true})
		if err != nil || r.Status != StatusReply || r.Timestamp == nil {
			t.Fatalf("%+v, %v", r, err)
		}
		if offset, ok := r.ClockOffset(); !ok || offset.Abs() > time.Minute {
			t.Errorf("our own clock is %v from itself, %v", offset, ok)
		}
	})
}

// The errors about a query are told as those about an echo request.
func TestTheFateOfAQuery(t *testing.T) {
	network := `
		client 192.0.2.1 2001:db8::1
		node r 10.0.1.1 2001:db8:1::1
		node t 10.0.9.9 2001:db8:9::9
		path 10.0.9.0/24 2001:db8:9::/64 r t
	`
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(network), netlab.Device{}) }
	for _, unprivileged := range []bool{false, true} {
		name := map[bool]string{false: "raw", true: "unprivileged"}[unprivileged]
		t.Run(name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: unprivileged, Setup: carry}, func(t *testing.T) {
				mode := socket.Raw
				if unprivileged {
					mode = socket.Datagram
				}
				p, err := NewProber(&Config{Mode: mode})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				for i, dst := range probedTarget {
					if unprivileged && dst.Is6() {
						continue // Linux tells a datagram socket no ICMPv6 error about an extended echo request
					}
					ask := &ProbeOptions{ExtendedEcho: &icmp.ExtendedEcho{Local: true, Index: 1}, Packet: Packet{TTL: 1}, Timeout: 10 * time.Second}
					r, err := p.Probe(t.Context(), dst, ask)
					if err != nil || r.Status != StatusTTLExpired || r.Responder != probedRouter[i] || r.ExtendedEcho != nil || r.TTL != 1 || !r.Unproven {
						t.Errorf("%+v, %v", r, err)
					}
					ask.Packet.TTL, ask.Timeout = 0, 50*time.Millisecond
					r, err = p.Probe(t.Context(), dst, ask) // which netsim's hosts do not answer
					if err != nil || r.Status != StatusNoReply || r.Sent.IsZero() {
						t.Errorf("%+v, %v", r, err)
					}
				}
				if c := p.Counters(); c.ICMPErrors == 0 || c.PacketsSent != 2*c.ICMPErrors || c.Silent != c.ICMPErrors {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestAQueryThatCannotBeSent(t *testing.T) {
	four, six := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	asks := &icmp.ExtendedEcho{Local: true, Index: 1}
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, tt := range []struct {
		name  string
		dst   netip.Addr
		opts  ProbeOptions
		field string
	}{
		{"two at once", four, ProbeOptions{Timestamp: true, ExtendedEcho: asks}, "Timestamp"},
		{"by UDP", four, ProbeOptions{ExtendedEcho: asks, Packet: Packet{Protocol: UDP}}, "ExtendedEcho"},
		{"with a payload", four, ProbeOptions{ExtendedEcho: asks, Packet: Packet{Size: 9}}, "Size"},
		{"of nothing", four, ProbeOptions{ExtendedEcho: &icmp.ExtendedEcho{}}, "Name, Index and Address"},
		{"the time, of ICMPv6", six, ProbeOptions{Timestamp: true}, "Timestamp"},
	} {
		_, err := p.Probe(t.Context(), tt.dst, &tt.opts)
		if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != tt.field {
			t.Errorf("%s: %v, want a ConfigError about %s", tt.name, err, tt.field)
		}
	}
	s := p.NewStream()
	defer s.Close()
	if err := s.Send(t.Context(), []StreamProbe{{Dst: four, ProbeOptions: ProbeOptions{ExtendedEcho: asks}}}); err != nil {
		t.Fatal(err)
	}
	results := make([]StreamResult, 1)
	if _, err := s.Receive(t.Context(), results); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*ConfigError](results[0].Cause); !ok {
		t.Errorf("a Stream takes a query: %+v", results[0])
	}
	var none Prober
	if _, err := none.Probe(t.Context(), four, &ProbeOptions{ExtendedEcho: asks}); !errors.Is(err, errNotMade) {
		t.Errorf("the zero Prober: %v", err)
	}
}

// A router that asks to be sent less has forwarded the query: its fate comes behind that.
func TestAQuenchIsNotTheFateOfAQuery(t *testing.T) {
	const network = `
		client 192.0.2.1
		node r 10.0.1.1 delay=5ms warn=quench
		node t 10.0.9.9 delay=30ms refuse=prohibited
		path 10.0.9.0/24 r t
	`
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		netlab.Carry(t, netsim.MustParse(network), netlab.Device{})
		p, err := NewProber(&Config{Mode: socket.Raw})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, ask := range []*ProbeOptions{
			{Timestamp: true, Timeout: 10 * time.Second},
			{ExtendedEcho: &icmp.ExtendedEcho{Local: true, Index: 1}, Timeout: 10 * time.Second},
		} {
			r, err := p.Probe(t.Context(), probedTarget[0], ask)
			if err != nil || r.Status != StatusUnreachable || r.Responder != probedTarget[0] || !r.Unproven {
				t.Errorf("%v, %v", r, err)
			}
		}
	})
}

// The offset of a clock is that at half of the round trip. Without a timestamp, or without the
// time at which the request left, there is none.
func TestAResultHasTheOffsetOfAClock(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	ahead := &icmp.Timestamp{Receive: 43_200_105, Transmit: 43_200_105}
	for _, tt := range []struct {
		r     Result
		want  time.Duration
		known bool
	}{
		{Result{Sent: noon, RTT: 10 * time.Millisecond, Timestamp: ahead}, 100 * time.Millisecond, true},
		{Result{RTT: 10 * time.Millisecond, Timestamp: ahead}, 0, false},
		{Result{Sent: noon, RTT: 10 * time.Millisecond}, 0, false},
	} {
		if got, known := tt.r.ClockOffset(); got != tt.want || known != tt.known {
			t.Errorf("%v, %v, want %v, %v", got, known, tt.want, tt.known)
		}
	}
}
