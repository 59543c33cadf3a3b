package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

func TestProbeThatIsNotSent(t *testing.T) {
	cases := []struct {
		name   string
		refuse error
		want   Status
	}{
		{"there is no route", syscall.ENETUNREACH, StatusNetworkUnreachable},
		{"there is no way to the host", syscall.EHOSTUNREACH, StatusUnreachable},
		{"the firewall forbids it", syscall.EPERM, StatusPermissionDenied},
		{"the interface is down", syscall.ENETDOWN, StatusNetworkDown},
		{"it is too big for the interface", syscall.EMSGSIZE, StatusPacketTooBig},
		{"another reason", syscall.EPROTO, StatusSendError},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fail := func(c *netsim.Conn) { c.FailSend(1, tc.refuse) }
				p := simProberWith(t, netsim.MustParse(probed("", "")), netsim.ConnOptions{}, fail)
				defer p.Close()
				r, err := p.Probe(t.Context(), probedTarget[0], nil)
				if err != nil || r.Status != tc.want || !errors.Is(r.Cause, tc.refuse) || !r.Sent.IsZero() {
					t.Errorf("%+v, %v, want %v", r, err, tc.want)
				}
			})
		})
	}
}

func TestProbeRefusesWhatCannotBeUsed(t *testing.T) {
	valid := probedTarget[0]
	cases := []struct {
		name  string
		dst   netip.Addr
		opts  ProbeOptions
		field string
	}{
		{"no address", netip.Addr{}, ProbeOptions{}, "dst"},
		{"a timeout that is negative", valid, ProbeOptions{Timeout: -1}, "Timeout"},
		{"a protocol that is none", valid, ProbeOptions{Packet: Packet{Protocol: 9}}, "Protocol"},
		{"a port of ICMP", valid, ProbeOptions{Packet: Packet{Port: 7}}, "Port"},
		{"a payload of a SYN", valid, ProbeOptions{Packet: Packet{Protocol: TCP, Payload: []byte{1}}}, "Payload"},
		{"a service that is none", valid, ProbeOptions{Packet: Packet{Protocol: UDP, Service: 9}}, "Service"},
		{"a service by ICMP", valid, ProbeOptions{Packet: Packet{Service: DNS}}, "Service"},
		{"the size of a service", valid, ProbeOptions{Packet: Packet{Protocol: UDP, Service: NTP, Size: 56}}, "Size"},
		{"the payload of a service", valid, ProbeOptions{Packet: Packet{Protocol: UDP, Service: QUIC, Payload: []byte{}}}, "Size"},
		{"a name of a service without names", valid, ProbeOptions{Packet: Packet{Protocol: UDP, Service: QUIC, ServiceName: "a"}}, "ServiceName"},
		{"a name that there cannot be", valid, ProbeOptions{Packet: Packet{Protocol: UDP, Service: DNS, ServiceName: "a..b"}}, "ServiceName"},
		{"a flow label of more than 20 bits", valid, ProbeOptions{Packet: Packet{Protocol: UDP, FlowLabel: 1 << 20}}, "FlowLabel"},
		{"a flow label of IPv4", valid, ProbeOptions{Packet: Packet{Protocol: UDP, FlowLabel: 1}}, "FlowLabel"},
		{"a source of the other family", valid, ProbeOptions{Packet: Packet{Source: probedTarget[1]}}, "Source"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := simProber(t, netsim.MustParse(probed("", "")), false)
			defer p.Close()
			_, err := p.Probe(t.Context(), tc.dst, &tc.opts)
			if config, ok := errors.AsType[*ConfigError](err); !ok || config.Field != tc.field {
				t.Errorf("%v, want a ConfigError about %s", err, tc.field)
			}
		})
	}
}

func TestProbeThatIsCutShort(t *testing.T) {
	ended := errors.New("ended")
	cases := []struct {
		name string
		end  func(p *Prober, cancel context.CancelCauseFunc)
		want error
	}{
		{"by the context", func(_ *Prober, cancel context.CancelCauseFunc) { cancel(ended) }, ended},
		{"by the end of the Prober", func(p *Prober, _ context.CancelCauseFunc) { _ = p.Close() }, net.ErrClosed},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(probed("", "deaf")), false)
				defer p.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				go func() {
					time.Sleep(time.Second)
					tc.end(p, cancel)
				}()
				r, err := p.Probe(ctx, probedTarget[0], nil)
				if !errors.Is(err, tc.want) || r.Status != StatusUnsettled || r.Sent.IsZero() {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
}

func TestProbeBySCTPNeedsPrivileges(t *testing.T) {
	p := simProber(t, netsim.MustParse(probed("", "")), true)
	defer p.Close()
	_, err := p.Probe(t.Context(), probedTarget[0], &ProbeOptions{Packet: Packet{Protocol: SCTP}})
	op, ok := errors.AsType[*socket.OpError](err)
	if !errors.Is(err, errors.ErrUnsupported) || !ok || op.V != icmp.V4 {
		t.Errorf("got %v", err)
	}
}
