package query

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/socket"
)

// conn is a socket whose answer is given.
type conn struct {
	socket.Conn
	refuses, fails error
	reply          icmp.Reply // Time is how long it takes, from the zero Time
	dropped        uint64
}

var sentAt = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (c *conn) Send(_ context.Context, req *icmp.Request) error {
	req.Time = sentAt
	return c.refuses
}

func (c *conn) SetReadDeadline(time.Time) error { return nil }

func (c *conn) Receive(ctx context.Context, _ *icmp.Request) (*icmp.Reply, error) {
	if c.fails != nil {
		return nil, c.fails
	}
	r := c.reply
	r.Time = sentAt.Add(r.Time.Sub(time.Time{}))
	return &r, ctx.Err()
}

func (c *conn) Counters() socket.Counters { return socket.Counters{Dropped: c.dropped, Malformed: 2} }

func answered(t icmp.Type, after time.Duration) icmp.Reply {
	r := icmp.Reply{Source: netip.MustParseAddr("192.0.2.9"), Time: time.Time{}.Add(after), TTL: 61}
	r.Type = t
	return r
}

func TestTheOutcomeOfAQuery(t *testing.T) {
	broken := errors.New("broken")
	stamped := answered(icmp.V4TimestampReply, time.Millisecond)
	stamped.Stamped = true
	sent := engine.Counters{PacketsSent: 1, Malformed: 2}
	with := func(change func(*engine.Counters)) engine.Counters {
		c := sent
		change(&c)
		return c
	}
	silent := with(func(c *engine.Counters) { c.Silent = 1 })
	for _, tt := range []struct {
		name   string
		conn   conn
		want   engine.Outcome
		counts engine.Counters
		told   engine.EventKind // the last
	}{
		{"a reply", conn{reply: answered(icmp.V4TimestampReply, time.Millisecond)},
			engine.Outcome{Fate: engine.Replied, MeasuredBy: engine.ByRead, RTT: time.Millisecond, Type: icmp.V4TimestampReply, Unproven: true},
			with(func(c *engine.Counters) { c.PacketsReceived = 1 }), engine.EventReceived},
		{"a reply that the kernel stamped", conn{reply: stamped},
			engine.Outcome{Fate: engine.Replied, MeasuredBy: engine.ByClock, RTT: time.Millisecond, Type: icmp.V4TimestampReply, Unproven: true},
			with(func(c *engine.Counters) { c.PacketsReceived = 1 }), engine.EventReceived},
		{"an error", conn{reply: answered(icmp.V4TimeExceeded, time.Millisecond)},
			engine.Outcome{Fate: engine.Failed, MeasuredBy: engine.ByRead, RTT: time.Millisecond, Type: icmp.V4TimeExceeded, Unproven: true},
			with(func(c *engine.Counters) { c.ICMPErrors = 1 }), engine.EventReceived},
		{"silence", conn{fails: os.ErrDeadlineExceeded}, engine.Outcome{Fate: engine.Silent}, silent, engine.EventSilent},
		{"a reply that is late", conn{reply: answered(icmp.V4TimestampReply, time.Hour)}, engine.Outcome{Fate: engine.Silent}, silent, engine.EventReceived},
		{"silence with losses of our own", conn{fails: os.ErrDeadlineExceeded, dropped: 3}, engine.Outcome{Fate: engine.Silent, Suspect: true},
			with(func(c *engine.Counters) { c.Silent, c.Dropped = 1, 3 }), engine.EventSilent},
		{"a socket that is broken", conn{fails: broken}, engine.Outcome{Fate: engine.Silent, Cause: broken}, silent, engine.EventSilent},
	} {
		var told []engine.Event
		q := Query{Conn: &tt.conn, Request: icmp.Request{TTL: 5, Timeout: time.Second, Destination: netip.MustParseAddr("127.0.0.1"), Message: (&icmp.Timestamp{}).Request()}}
		q.Tell = func(e engine.Event) { told = append(told, e) }
		o, answer, err := q.Ask(t.Context())
		if err != nil || o.Fate != tt.want.Fate || o.RTT != tt.want.RTT || o.MeasuredBy != tt.want.MeasuredBy || o.Type != tt.want.Type ||
			o.Unproven != tt.want.Unproven || o.Suspect != tt.want.Suspect || o.Cause != tt.want.Cause || o.TTL != 5 || !o.Sent.Equal(sentAt) {
			t.Errorf("%s: %+v, %v", tt.name, o, err)
		}
		if (answer != nil) != (o.Fate != engine.Silent) || answer != nil && (o.Responder != answer.Source || o.ReplyTTL != 61) {
			t.Errorf("%s: %+v with the answer %+v", tt.name, o, answer)
		}
		if c := q.Counters(); c != tt.counts {
			t.Errorf("%s counts as %+v, want %+v", tt.name, c, tt.counts)
		}
		if len(told) != 2 || told[0].Kind != engine.EventSent || told[0].Probe != told[1].Probe || told[1].Kind != tt.told || len(told[0].Packet) == 0 {
			t.Errorf("%s: told was %+v", tt.name, told)
		}
	}
}

func TestAQueryThatIsRefusedOrCutShort(t *testing.T) {
	refused, stopped := errors.New("refused"), errors.New("stopped")
	var told []engine.Event
	q := Query{Conn: &conn{refuses: refused}, Request: icmp.Request{Message: (&icmp.Timestamp{}).Request()}}
	q.Tell = func(e engine.Event) { told = append(told, e) }
	if o, _, err := q.Ask(t.Context()); err != refused || !o.Sent.IsZero() {
		t.Errorf("refused: %+v, %v", o, err)
	}
	if c := q.Counters(); c.PacketsSent != 0 || c.Silent != 0 || len(told) != 1 || told[0].Kind != engine.EventRefused || told[0].Err != refused {
		t.Errorf("refused: %+v, told was %+v", c, told)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	q = Query{Conn: &conn{fails: context.Canceled}}
	if o, _, err := q.Ask(ctx); err != stopped || o.Sent.IsZero() {
		t.Errorf("cut short: %+v, %v", o, err)
	}
	if c := q.Counters(); c.PacketsSent != 1 || c.Silent != 1 {
		t.Errorf("cut short: %+v", c)
	}
}

func TestTheOffsetOfAClock(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	midnight := time.Date(2026, 5, 4, 23, 59, 59, 999_000_000, time.UTC)
	const day = 86_400_000
	for _, tt := range []struct {
		name              string
		sent              time.Time
		receive, transmit uint32
		want              time.Duration
		known             bool
	}{
		{"ahead", noon, day/2 + 105, day/2 + 105, 100 * time.Millisecond, true},
		{"behind", noon, day/2 - 95, day/2 - 95, -100 * time.Millisecond, true},
		{"over midnight", midnight, 4, 4, 0, true},
		{"midnight came between", midnight, day - 1, 9, 0, true},
		{"in units of its own", noon, 1 << 31, 1 << 31, 0, false},
	} {
		stamp := &icmp.Timestamp{Receive: tt.receive, Transmit: tt.transmit}
		if got, ok := ClockOffset(stamp, tt.sent, 10*time.Millisecond); got != tt.want || ok != tt.known {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, got, ok, tt.want, tt.known)
		}
	}
}

// What is asked for comes back in the reply, with a sequence number of the query's own.
func TestAQuestionAndItsAnswer(t *testing.T) {
	asked := &icmp.ExtendedEcho{Local: true, Name: "eth0", Sequence: 7}
	for _, tt := range []struct {
		v     icmp.Version
		about *icmp.ExtendedEcho
		want  icmp.Type // of the request
		field string    // that is refused
	}{
		{icmp.V4, asked, icmp.V4ExtendedEchoRequest, ""},
		{icmp.V6, asked, icmp.V6ExtendedEchoRequest, ""},
		{icmp.V4, nil, icmp.V4Timestamp, ""},
		{icmp.V6, nil, 0, "Timestamp"},
		{icmp.V4, &icmp.ExtendedEcho{}, 0, "Name, Index and Address"},
	} {
		m, err := Message(tt.v, tt.about)
		if e, ok := errors.AsType[*icmp.FieldError](err); tt.field != "" {
			if !ok || e.Field != tt.field {
				t.Errorf("%v, %+v: %v, want an error about %s", tt.v, tt.about, err, tt.field)
			}
			continue
		}
		if err != nil || m.Type != tt.want {
			t.Fatalf("%v, %+v: %+v, %v", tt.v, tt.about, m, err)
		}
		m.Type = m.Type.Reply()
		about, at := Answer(m)
		if (about != nil) != (tt.about != nil) || (at != nil) != (tt.about == nil) {
			t.Errorf("%v, %+v: the answer is %+v, %+v", tt.v, tt.about, about, at)
		}
		if at != nil && at.Originate >= 86_400_000 {
			t.Errorf("it was sent at %d", at.Originate)
		}
	}
	if asked.Sequence != 7 {
		t.Error("what the caller gave has changed")
	}
	if about, at := Answer(&icmp.Message{Type: icmp.V4TimestampReply}); about != nil || *at != (icmp.Timestamp{}) {
		t.Errorf("an answer that is too short tells %+v, %+v", about, at)
	}
}
