package icmplib

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/wire"
)

// tracedProber is a Prober on a simulated network, and what its Trace was told.
func tracedProber(t *testing.T, network string, o netsim.ConnOptions, open func(*netsim.Conn)) (*Prober, *[]TraceEvent) {
	t.Helper()
	p := simProberWith(t, netsim.MustParse(network), o, open)
	events := &[]TraceEvent{}
	p.tracer = newTracer(func(e TraceEvent) { *events = append(*events, e) })
	return p, events
}

func TestTraceTellsOfEachPacket(t *testing.T) {
	const network = `
		client 192.0.2.1 2001:db8::1
		node r 10.0.1.1 2001:db8:1::1 delay=5ms
		node t 10.0.9.9 2001:db8:9::9 delay=10ms lose@2 duplicate@3
		path 10.0.9.0/24 2001:db8:9::/64 r t
	`
	for i, dst := range probedTarget {
		synctest.Test(t, func(t *testing.T) {
			p, events := tracedProber(t, network, netsim.ConnOptions{}, nil)
			for range 3 {
				if _, err := p.Probe(t.Context(), dst, nil); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := p.Probe(t.Context(), dst, &ProbeOptions{Packet: Packet{TTL: 1}}); err != nil {
				t.Fatal(err)
			}
			p.Close()
			var told []string
			for _, e := range *events {
				told = append(told, e.Kind.String()+" "+strings.SplitAfter(e.Verdict+":", ":")[0])
			}
			want := []string{
				"sent :", "received reply:", "sent :", "silent silent:", "sent :", "received reply:", "received duplicate:", "sent :", "received error:",
			}
			// The duplicate may come when the next probe is on its way.
			if got := strings.Join(told, "\n"); got != strings.Join(want, "\n") {
				t.Fatalf("told was\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
			checkTrace(t, *events, dst, probedRouter[i])
		})
	}
}

// checkTrace holds the events of the test above against what is known of them.
func checkTrace(t *testing.T, events []TraceEvent, dst, router netip.Addr) {
	t.Helper()
	sent, answer, silent, expired := events[0], events[1], events[3], events[8]
	if sent.Dst != dst || sent.TTL != 64 || sent.Probe == 0 || answer.Probe != sent.Probe || answer.Responder != dst || answer.RTT != toTarget || !answer.Time.Equal(sent.Time.Add(toTarget)) {
		t.Errorf("%+v and %+v do not belong together", sent, answer)
	}
	if silent.Probe != events[2].Probe || silent.Time.Sub(events[2].Time) != defaultTimeout || silent.Packet != nil {
		t.Errorf("%+v", silent)
	}
	if expired.Responder != router || expired.Probe != events[7].Probe {
		t.Errorf("%+v", expired)
	}
	request, reply, unreachable := messageIn(t, sent.Packet, dst), messageIn(t, answer.Packet, dst), messageIn(t, expired.Packet, router)
	if !request.Type.IsEchoRequest() || !reply.Type.IsEchoReply() || reply.ID != request.ID || reply.Sequence != request.Sequence || !bytes.Equal(reply.Payload, request.Payload) {
		t.Errorf("%+v was answered by %+v", request, reply)
	}
	if unreachable.Kind() != icmp.KindTimeExceeded || unreachable.Quote.Destination != dst || !unreachable.Quote.Type.IsEchoRequest() {
		t.Errorf("%+v", unreachable)
	}
}

// messageIn reads the ICMP message of a packet that has an address in its header.
func messageIn(t *testing.T, packet []byte, with netip.Addr) (m icmp.Message) {
	t.Helper()
	v, body, source, destination := icmp.V4, []byte(nil), netip.Addr{}, netip.Addr{}
	if with.Is4() {
		var ip wire.IPv4
		if err := ip.Parse(packet); err != nil || ip.TotalLen != len(packet) {
			t.Fatalf("%v: % x", err, packet)
		}
		body, source, destination = packet[ip.HeaderLen:], ip.Source, ip.Destination
		if icmp.Checksum(body) != 0 {
			t.Error("the checksum is wrong")
		}
	} else {
		var ip wire.IPv6
		if err := ip.Parse(packet); err != nil || ip.PayloadLen != len(packet)-wire.IPv6HeaderLen {
			t.Fatalf("%v: % x", err, packet)
		}
		v, body, source, destination = icmp.V6, packet[wire.IPv6HeaderLen:], ip.Source, ip.Destination
	}
	if source != with && destination != with {
		t.Errorf("the packet went from %v to %v, and %v has not to do with it", source, destination, with)
	}
	if err := m.Parse(v, body); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTraceSaysWhatWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, events := tracedProber(t, probed("", ""), netsim.ConnOptions{}, func(c *netsim.Conn) { c.FailSend(1, syscall.EPERM) })
		if _, err := p.Probe(t.Context(), probedTarget[0], nil); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if len(*events) != 1 || (*events)[0].Kind != TraceRefused || !errors.Is((*events)[0].Cause, syscall.EPERM) || len((*events)[0].Packet) != 84 {
			t.Errorf("%+v", *events)
		}
	})
}

// Whoever is too slow is told how much he has missed, and keeps nobody waiting.
func TestASlowTraceMissesWhatItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last TraceEvent
		told := 0
		tr := newTracer(func(e TraceEvent) {
			if told == 0 {
				time.Sleep(time.Hour)
			}
			told++
			last = e
		})
		tr.note(engine.Event{})
		synctest.Wait()
		for i := range maxUntold + 5 {
			tr.note(engine.Event{Probe: uint64(i)})
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if told != maxUntold+1 || last.Probe != maxUntold+4 || last.Missed != 5 {
			t.Errorf("%d were told, the last is %+v", told, last)
		}
		tr.note(engine.Event{Probe: 9})
		tr.end()
		if told != maxUntold+2 || last.Probe != 9 || last.Missed != 0 {
			t.Errorf("then %d were told, the last is %+v", told, last)
		}
	})
}

func TestTraceSeesProbesOfAllProtocols(t *testing.T) {
	for _, protocol := range []Protocol{UDP, TCP, SCTP} {
		synctest.Test(t, func(t *testing.T) {
			p, events := tracedProber(t, probed("", ""), netsim.ConnOptions{}, nil)
			if _, err := p.Probe(t.Context(), probedTarget[0], &ProbeOptions{Packet: Packet{Protocol: protocol}}); err != nil {
				t.Fatal(err)
			}
			p.Close()
			if len(*events) != 2 || (*events)[1].Probe != (*events)[0].Probe || !strings.HasPrefix((*events)[1].Verdict, "reply") && protocol != UDP {
				t.Fatalf("%v: %+v", protocol, *events)
			}
			var ip wire.IPv4
			if err := ip.Parse((*events)[0].Packet); err != nil || icmp.Protocol(ip.Protocol) != protocol.number() || ip.Destination != probedTarget[0] {
				t.Errorf("%v: %+v, %v", protocol, ip, err)
			}
			if err := ip.Parse((*events)[1].Packet); err != nil || ip.Source != probedTarget[0] {
				t.Errorf("%v: %+v, %v", protocol, ip, err)
			}
		})
	}
}

func TestTraceEventsAreLogged(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	log.LogAttrs(context.Background(), slog.LevelInfo, "packet", slog.Any("event", TraceEvent{Kind: TraceReceived, Dst: probedTarget[0], Responder: probedRouter[0], RTT: time.Millisecond, Verdict: "reply"}))
	for _, want := range []string{"event.kind=received", "event.dst=10.0.9.9", "event.responder=10.0.1.1", "event.rtt=1ms", "event.verdict=reply"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
}
