package socket_test

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// probing has this host answer extended echo requests (RFC 8335), which Linux does
// not by default.
func probing(t *testing.T) {
	if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_enable_probe", []byte("1"), 0); err != nil {
		t.Skipf("this kernel answers no extended echo requests: %v", err)
	}
}

// openConn opens a socket that the end of the test closes.
func openConn(t *testing.T, v icmp.Version, cfg *socket.Config) socket.Conn {
	t.Helper()
	s, err := socket.Listen(v, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// ask sends a request and returns what answers it.
func ask(t *testing.T, s socket.Conn, req *icmp.Request) *icmp.Reply {
	t.Helper()
	if err := s.Send(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	reply, err := s.Receive(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestExtendedEcho(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  netlab.Config
		mode socket.Mode
	}{
		{"raw", netlab.Config{PingGroups: true, Setup: probing}, socket.Raw},
		{"datagram, unprivileged", netlab.Config{PingGroups: true, Unprivileged: true, Setup: probing}, socket.Datagram},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.cfg, func(t *testing.T) {
				for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
					testExtendedEcho(t, v, tt.mode)
				}
			})
		})
	}
}

func testExtendedEcho(t *testing.T, v icmp.Version, mode socket.Mode) {
	reply := icmp.V4ExtendedEchoReply
	if v == icmp.V6 {
		reply = icmp.V6ExtendedEchoReply
	}
	s := openConn(t, v, &socket.Config{Mode: mode, Types: []icmp.Type{reply}})
	if s.Mode() != mode || s.Version() != v {
		t.Errorf("the socket is %v, %v", s.Mode(), s.Version())
	}
	for i, tt := range []struct {
		query icmp.ExtendedEcho
		code  uint8
	}{
		{icmp.ExtendedEcho{Name: "lo"}, 0},
		{icmp.ExtendedEcho{Index: 1}, 0},
		{icmp.ExtendedEcho{Address: loopback(v)}, 0},
		{icmp.ExtendedEcho{Name: "nosuch0"}, 2},
	} {
		tt.query.Local, tt.query.Sequence = true, uint8(i+1)
		m, err := tt.query.Request(v)
		if err != nil {
			t.Fatal(err)
		}
		req := &icmp.Request{Destination: loopback(v), Message: m}
		got := ask(t, s, req)
		var told icmp.ExtendedEcho
		if err := told.Parse(&got.Message); err != nil {
			t.Fatal(err)
		}
		if got.Code != tt.code || told.Active != (tt.code == 0) || told.IPv4 != told.Active || told.ID != s.ID() || req.ID != s.ID() {
			t.Errorf("%v: %+v: %v says code %d and %+v", v, tt.query, got.Type, got.Code, told)
		}
		if got.Err() != nil || got.Time.Sub(req.Time) <= 0 {
			t.Errorf("%v after %v", got.Err(), got.Time.Sub(req.Time))
		}
	}
}

// A socket for other types still meets the errors of what it sends.
func TestATimestampIsAnswered(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		s := openConn(t, icmp.V4, &socket.Config{Types: []icmp.Type{icmp.V4TimestampReply, icmp.V4TimeExceeded}})
		if s.Mode() != socket.Raw {
			t.Fatalf("Auto took a %v socket, which receives no timestamps", s.Mode())
		}
		before := icmp.MillisecondOfDay(time.Now())
		stamp := icmp.Timestamp{Sequence: 7, Originate: before}
		reply := ask(t, s, &icmp.Request{Destination: loopback(icmp.V4), Message: stamp.Request()})
		var told icmp.Timestamp
		if err := told.Parse(&reply.Message); err != nil {
			t.Fatal(err)
		}
		const minute = 60_000
		if told.Originate != before || told.ID != s.ID() || told.Sequence != 7 || (told.Receive+24*60*minute-before)%(24*60*minute) > minute {
			t.Errorf("%+v, asked at %d", told, before)
		}
	})
}

func TestASnifferSeesWhatIsForOthers(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
			sniffer := openConn(t, v, &socket.Config{Mode: socket.Raw, Types: icmp.AllTypes(v)})
			pinger := openConn(t, v, &socket.Config{Mode: socket.Datagram})
			req := &icmp.Request{Destination: loopback(v), Sequence: 7}
			ask(t, pinger, req)
			for _, want := range []icmp.Kind{icmp.KindEchoRequest, icmp.KindEchoReply} {
				got, err := sniffer.Receive(t.Context(), nil)
				for err == nil && got.Kind() == icmp.KindOther { // neighbor discovery
					got, err = sniffer.Receive(t.Context(), nil)
				}
				if err != nil || got.Kind() != want || got.ID != pinger.ID() || got.Sequence != 7 {
					t.Fatalf("%v: got %+v, %v, want an %v", v, got, err, want)
				}
			}
		}
	})
}

// The kernel tells the first 32 types of IPv4 apart; the others are told apart here.
func TestOnlyTheTypesThatWereAskedFor(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		const ours, others = 253, 254 // RFC 4727
		for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
			s := openConn(t, v, &socket.Config{Mode: socket.Raw, Types: []icmp.Type{icmp.MakeType(v, ours)}})
			for _, number := range []uint8{others, ours} {
				m := &icmp.Message{Type: icmp.MakeType(v, number), Code: 3, Payload: []byte("a protocol of my own")}
				if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(v), Message: m}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Receive(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Type.Number() != ours || got.Code != 3 || !bytes.Equal(got.Payload, []byte("a protocol of my own")) || got.Source != loopback(v) {
				t.Errorf("%v: got %+v", v, got)
			}
		}
	})
}

func TestWhatASocketCannotDoIsRefused(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, tt := range []struct {
			name string
			v    icmp.Version
			cfg  socket.Config
		}{
			{"types of the other version", icmp.V4, socket.Config{Types: icmp.AllTypes(icmp.V6)}},
			{"timestamps by a datagram socket", icmp.V4, socket.Config{Mode: socket.Datagram, Types: []icmp.Type{icmp.V4TimestampReply}}},
		} {
			_, err := socket.Listen(tt.v, &tt.cfg)
			if e, ok := errors.AsType[*socket.ConfigError](err); !ok || e.Field != "Types" {
				t.Errorf("%s: %v, want a ConfigError about Types", tt.name, err)
			}
		}
		if s, err := socket.Listen(5, nil); err == nil || s != nil {
			t.Errorf("a socket of IPv5: %v, %v", s, err)
		}
		stamp := (&icmp.Timestamp{}).Request()
		for _, cfg := range []socket.Config{{Mode: socket.Datagram}, {Mode: socket.Raw, SendTimestamps: true}} {
			s := openConn(t, icmp.V4, &cfg)
			err := s.Send(t.Context(), &icmp.Request{Destination: netip.MustParseAddr("127.0.0.1"), Message: stamp})
			if e, ok := errors.AsType[*socket.ConfigError](err); !ok || e.Field != "Message" {
				t.Errorf("%v: %v, want a ConfigError about the Message", s.Mode(), err)
			}
		}
	})
}
