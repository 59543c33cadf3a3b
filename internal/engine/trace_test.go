package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

// Why a message is credited to no probe is said of each rule of matching.
func TestWhyAMessageIsNotCredited(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56, Sourced: true})
	seq := b.launch(target, 0)
	quoting := func(change func(q *icmp.Quote)) *icmp.Reply {
		r := b.reply(seq)
		m := icmp.Message{Type: icmp.V4TimeExceeded}
		m.Quote = icmp.Quote{Type: icmp.V4EchoRequest, Protocol: icmp.ICMP, ID: r.ID, Sequence: r.Sequence, Destination: target, Payload: r.Payload}
		change(&m.Quote)
		return &icmp.Reply{Message: m, Source: target}
	}
	replying := func(change func(r *icmp.Reply)) *icmp.Reply {
		r := b.reply(seq)
		change(r)
		return r
	}
	for _, tt := range []struct {
		says string
		r    *icmp.Reply
	}{
		{"the id is not that of this socket", replying(func(r *icmp.Reply) { r.ID++ })},
		{"no probe with this sequence number", replying(func(r *icmp.Reply) { r.Sequence++ })},
		{"from another address than was probed", replying(func(r *icmp.Reply) { r.Source = netip.MustParseAddr("192.0.2.77") })},
		{"no echo request", quoting(func(q *icmp.Quote) { q.Type = icmp.V4EchoReply })},
		{"the id is not that of this socket", quoting(func(q *icmp.Quote) { q.ID++ })},
		{"went to another address", quoting(func(q *icmp.Quote) { q.Destination = netip.MustParseAddr("192.0.2.77") })},
		{"quoted payload is not that of the probe", quoting(func(q *icmp.Quote) { q.Payload = []byte("of somebody else") })},
	} {
		if _, s, _ := b.core.match(tt.r); s != nil {
			t.Errorf("%s: it is credited", tt.says)
		}
		if got := b.core.refusal(tt.r); !strings.HasPrefix(got, "not credited: ") || !strings.Contains(got, tt.says) {
			t.Errorf("got %q, want that %q", got, tt.says)
		}
	}
}
