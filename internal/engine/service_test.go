package engine

import (
	"encoding/binary"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/service"
	"github.com/goicmp/icmplib/internal/transport"
)

// asking is a bench whose probes ask a service.
func asking(t *testing.T, kind service.Kind) *bench {
	t.Helper()
	q, err := service.New(kind, "")
	if err != nil {
		t.Fatal(err)
	}
	return newBench(t, OpConfig{Query: q, Numbered: true, Unclear: true})
}

// asked returns what the probe carries.
func (b *bench) asked(seq uint16) []byte {
	s := b.core.table.slot(seq)
	return b.op.payload.appendTo(nil, s.nonce, b.op.payload.number(seq, s.addr()))
}

// serve is what the service at the target answers to a datagram.
func (b *bench) serve(kind service.Kind, sent []byte) *transport.Arrival {
	a := &transport.Arrival{Protocol: icmp.UDP}
	a.Source = target
	a.Segment.Kind = transport.Datagram
	switch kind {
	case service.DNS:
		a.Segment.Payload = append([]byte(nil), sent[:12]...)
		a.Segment.Payload[2] |= 0x80
		copy(a.Segment.Payload[4:], make([]byte, 8)) // nothing but the header
	case service.NTP:
		a.Segment.Payload = make([]byte, 48)
		a.Segment.Payload[0] = 4<<3 | 4
		copy(a.Segment.Payload[24:], sent[40:48])
	case service.QUIC:
		ids := append([]byte{8}, sent[17:25]...)
		ids = append(append(ids, 10), sent[6:16]...)
		a.Segment.Payload = append(append([]byte{0xc0, 0, 0, 0, 0}, ids...), 0, 0, 0, 1)
	}
	return a
}

// markAt is where an answer brings the mark back.
var markAt = map[service.Kind]int{service.DNS: 0, service.NTP: 30, service.QUIC: 15}

func TestTheAnswerOfAServiceIsCreditedByWhatItBringsBack(t *testing.T) {
	for kind, at := range markAt {
		b := asking(t, kind)
		first, second := b.launch(target, 7), b.launch(target, 8)
		a := b.serve(kind, b.asked(second))
		forged := *a
		forged.Segment.Payload = append([]byte(nil), a.Segment.Payload...)
		binary.BigEndian.PutUint16(forged.Segment.Payload[at:], service.Mark(second+1000, target))
		checkFates(t, b.arrive(&forged), nil)
		checkFates(t, b.arrive(a), []Fate{Replied})
		checkFates(t, b.arrive(a), []Fate{Duplicate})
		checkFates(t, b.arrive(b.serve(kind, b.asked(first))), []Fate{Replied})
	}
}

func TestAForgedAnswerOfAServiceIsNotCreditedToTheOnlyProbe(t *testing.T) {
	for kind, at := range markAt {
		b := asking(t, kind)
		a := b.serve(kind, b.asked(b.launch(target, 7)))
		a.Segment.Payload[at] ^= 1
		checkFates(t, b.arrive(a), nil)
		elsewhere := b.serve(kind, b.asked(b.launch(target, 8)))
		elsewhere.Source = router
		checkFates(t, b.arrive(elsewhere), nil)
		// What is no answer of the service may be one of the host, as with any datagram.
		b = asking(t, kind)
		b.launch(target, 9)
		a = b.serve(kind, make([]byte, 64))
		a.Segment.Payload = []byte("what?")
		b.core.receiveArrival(a, b.now)
		if o := b.op.Take(nil); len(o) != 1 || o[0].Fate != Replied || !o[0].Unproven {
			t.Errorf("%v: %+v", kind, o)
		}
	}
}

func TestAnErrorAboutAServiceIsCreditedByWhatItQuotes(t *testing.T) {
	for kind := range markAt {
		for name, change := range map[string]func(a *transport.Arrival, seq uint16) (credited bool){
			"all of it":        func(a *transport.Arrival, _ uint16) bool { a.Quote.Checksum = 0; return true },
			"the header alone": func(a *transport.Arrival, _ uint16) bool { a.Quote.Payload = nil; return true },
			"another payload":  func(a *transport.Arrival, _ uint16) bool { a.Quote.Payload[15] ^= 1; return false },
			"an unknown checksum": func(a *transport.Arrival, seq uint16) bool {
				a.Quote.Payload, a.Quote.Checksum = nil, seq+1000
				return false
			},
			"another host's address": func(a *transport.Arrival, _ uint16) bool { a.Quote.Destination = router; return false },
		} {
			b := asking(t, kind)
			b.launch(target, 6)
			seq := b.launch(target, 7)
			a := b.unmarked(icmp.UDP)
			a.Quote.Checksum, a.Quote.Payload = seq, b.asked(seq)
			want := []Fate(nil)
			if change(a, seq) {
				want = []Fate{Failed}
			}
			got := b.arrive(a)
			if want == nil && len(got) == 1 && got[0] == Unclear {
				got = nil
			}
			if t.Run(name, func(t *testing.T) { checkFates(t, got, want) }); t.Failed() {
				t.Logf("of kind %v", kind)
			}
		}
	}
}
