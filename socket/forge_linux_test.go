package socket_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/socket"
)

// forger sends ICMP errors to this host, as routers would.
type forger struct {
	t    *testing.T
	v    icmp.Version
	conn net.Conn
}

func newForger(t *testing.T, v icmp.Version) *forger {
	network := "ip4:icmp"
	if v == icmp.V6 {
		network = "ip6:ipv6-icmp"
	}
	conn, err := net.Dial(network, loopback(v).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &forger{t, v, conn}
}

// send sends an error whose second word is rest about a request, of which the
// router quotes some bytes; the message's checksum is made right.
func (f *forger) send(typ icmp.Type, code uint8, rest uint32, req *icmp.Request, quote int, extensions ...byte) {
	f.t.Helper()
	message := append([]byte{typ.Number(), code, 0, 0}, binary.BigEndian.AppendUint32(nil, rest)...)
	message = append(message, f.quoted(req, quote)...)
	message = append(message, extensions...)
	if f.v == icmp.V4 {
		binary.BigEndian.PutUint16(message[2:], icmp.Checksum(message))
	}
	if _, err := f.conn.Write(message); err != nil {
		f.t.Fatal(err)
	}
}

// quoted returns the IP packet in which the request travelled, cut or padded
// behind its header.
func (f *forger) quoted(req *icmp.Request, size int) []byte {
	echo, err := req.Append(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	ip4 := wire.IPv4{TTL: 1, Protocol: wire.ProtocolICMP, Source: loopback(f.v), Destination: req.Destination}
	ip6 := wire.IPv6{HopLimit: 1, NextHeader: wire.ProtocolICMPv6, Source: loopback(f.v), Destination: req.Destination}
	var header []byte
	if f.v == icmp.V4 {
		header = ip4.Append(nil, len(echo))
	} else {
		header = ip6.Append(nil, len(echo))
	}
	return append(header, append(echo, make([]byte, max(0, size-len(echo)))...)[:size]...)
}

// privilegedSockets runs a test with each kind of socket of each family.
func privilegedSockets(t *testing.T, test func(t *testing.T, v icmp.Version, mode socket.Mode)) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			t.Run(v.String()+" "+mode.String(), func(t *testing.T) {
				netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) { test(t, v, mode) })
			})
		}
	}
}

// forged is an error of each family.
type forged struct {
	name  string
	types [2]icmp.Type // IPv4, IPv6
	codes [2]uint8
	rest  [2]uint32
	kind  icmp.Kind
	check func(r *icmp.Reply) bool
}

var forgeries = []forged{
	{"time exceeded", [2]icmp.Type{icmp.V4TimeExceeded, icmp.V6TimeExceeded}, [2]uint8{}, [2]uint32{}, icmp.KindTimeExceeded, nil},
	{"host unreachable", [2]icmp.Type{icmp.V4DestinationUnreachable, icmp.V6DestinationUnreachable}, [2]uint8{1, 3}, [2]uint32{}, icmp.KindDestinationUnreachable,
		func(r *icmp.Reply) bool { return r.Code == 1 || r.Code == 3 }},
	{"administratively prohibited", [2]icmp.Type{icmp.V4DestinationUnreachable, icmp.V6DestinationUnreachable}, [2]uint8{13, 1}, [2]uint32{}, icmp.KindDestinationUnreachable,
		func(r *icmp.Reply) bool { return r.Code == 13 || r.Code == 1 }},
	{"packet too big", [2]icmp.Type{icmp.V4DestinationUnreachable, icmp.V6PacketTooBig}, [2]uint8{4, 0}, [2]uint32{1400, 1400}, icmp.KindPacketTooBig,
		func(r *icmp.Reply) bool { return r.MTU == 1400 }},
	{"parameter problem", [2]icmp.Type{icmp.V4ParameterProblem, icmp.V6ParameterProblem}, [2]uint8{}, [2]uint32{20 << 24, 40}, icmp.KindParameterProblem,
		func(r *icmp.Reply) bool { return r.Pointer == 20 || r.Pointer == 40 }},
}

func (e *forged) of(v icmp.Version) (icmp.Type, uint8, uint32) {
	i := 0
	if v == icmp.V6 {
		i = 1
	}
	return e.types[i], e.codes[i], e.rest[i]
}

func TestErrorsComeLikeReplies(t *testing.T) {
	privilegedSockets(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		// A datagram socket that allows fragments is not told of packets too big.
		s, f := listen(t, v, &socket.Config{Mode: mode, DontFragment: true}), newForger(t, v)
		for i, e := range forgeries {
			typ, code, rest := e.of(v)
			req := &icmp.Request{Destination: remote(v), ID: s.ID(), Sequence: uint16(i), Payload: []byte("abcdefghij")}
			f.send(typ, code, rest, req, 18)
			r, err := s.Receive(bounded(t), req)
			if err != nil {
				t.Fatal(err)
			}
			if r.Kind() != e.kind || r.Err() == nil || e.check != nil && !e.check(r) {
				t.Errorf("%s came as %v, code %d, MTU %d, pointer %d", e.name, r.Type, r.Code, r.MTU, r.Pointer)
			}
			if r.Source != loopback(v) || r.Quote.Destination != req.Destination || string(r.Quote.Payload) != "abcdefghij" {
				t.Errorf("%s came from %v about %v with %q", e.name, r.Source, r.Quote.Destination, r.Quote.Payload)
			}
			if r.Time.IsZero() || r.Queued < 0 {
				t.Errorf("%s came at %v, queued %v", e.name, r.Time, r.Queued)
			}
		}
	})
}

// bounded makes what never comes a failure, and not the end of the whole run.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// remote is an address that is sent to nowhere in these tests.
func remote(v icmp.Version) netip.Addr {
	if v == icmp.V4 {
		return netip.MustParseAddr("192.0.2.77")
	}
	return netip.MustParseAddr("2001:db8::77")
}

func TestErrorsBringLabels(t *testing.T) {
	privilegedSockets(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s, f := listen(t, v, &socket.Config{Mode: mode}), newForger(t, v)
		typ, length, quote := icmp.V4TimeExceeded, uint32(32)<<16, 128-20
		if v == icmp.V6 {
			typ, length, quote = icmp.V6TimeExceeded, uint32(16)<<24, 128-40
		}
		structure := []byte{0x20, 0, 0, 0, 0, 12, 1, 1, 0x03, 0xe8, 0xa6, 0x01, 0x05, 0xdc, 0x11, 0xff}
		binary.BigEndian.PutUint16(structure[2:], icmp.Checksum(structure))
		req := &icmp.Request{Destination: remote(v), ID: s.ID(), Sequence: 5, Payload: []byte("abcdefghij")}
		f.send(typ, 0, length, req, quote, structure...)
		r, err := s.Receive(bounded(t), req)
		if err != nil {
			t.Fatal(err)
		}
		want := []icmp.MPLSLabel{{Label: 16010, TrafficClass: 3, TTL: 1}, {Label: 24001, BottomOfStack: true, TTL: 255}}
		if got := r.Extensions.AppendMPLS(nil); !slices.Equal(got, want) {
			t.Errorf("labels %v, want %v", got, want)
		}
	})
}

func TestErrorsAboutOthersAreNotHandedOut(t *testing.T) {
	privilegedSockets(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s, f := listen(t, v, &socket.Config{Mode: mode}), newForger(t, v)
		typ, code, rest := forgeries[0].of(v)
		foreign := &icmp.Request{Destination: remote(v), ID: s.ID() + 1, Sequence: 1}
		f.send(typ, code, rest, foreign, 8)
		last := &icmp.Request{Destination: remote(v), ID: s.ID(), Sequence: 2}
		f.send(typ, code, rest, last, 8)
		r, err := s.Receive(bounded(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Quote.ID != s.ID() || r.Quote.Sequence != 2 {
			t.Errorf("received an error about id %d, sequence %d", r.Quote.ID, r.Quote.Sequence)
		}
	})
}

// A datagram socket with an error pending reports it as the errno of its next
// send, which then sent nothing.
func TestAPendingErrorLosesNoRequest(t *testing.T) {
	privilegedSockets(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s, f := listen(t, v, &socket.Config{Mode: mode}), newForger(t, v)
		typ, code, rest := forgeries[1].of(v)
		f.send(typ, code, rest, &icmp.Request{Destination: remote(v), ID: s.ID(), Sequence: 1}, 8)
		reqs := make([]icmp.Request, 3)
		for i := range reqs {
			reqs[i] = icmp.Request{Destination: loopback(v), Sequence: uint16(10 + i)}
		}
		if n, err := s.SendBatch(reqs); n != len(reqs) || err != nil {
			t.Fatalf("SendBatch = %d, %v", n, err)
		}
		seen := map[icmp.Kind]int{}
		for range 1 + len(reqs) {
			r, err := s.Receive(bounded(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[r.Kind()]++
		}
		if seen[icmp.KindEchoReply] != len(reqs) || seen[icmp.KindDestinationUnreachable] != 1 {
			t.Errorf("received %v", seen)
		}
	})
}

// An event of exactly EPOLLERR, that is an entry in the error queue while the
// send buffer is full, is one that Go's poller does not take for readiness.
func TestAnErrorIsReceivedWhileTheSendBufferIsFull(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true, Setup: deadEnd}, func(t *testing.T) {
		s, f := listen(t, icmp.V4, &socket.Config{Mode: socket.Datagram}), newForger(t, icmp.V4)
		shrinkSendBuffer(t, s)
		fillSendBuffer(t, s)
		received := make(chan error, 1)
		go func() {
			_, err := s.Receive(bounded(t), nil)
			received <- err
		}()
		typ, code, rest := forgeries[0].of(icmp.V4)
		f.send(typ, code, rest, &icmp.Request{Destination: remote(icmp.V4), ID: s.ID(), Sequence: 9}, 8)
		if err := <-received; err != nil {
			t.Fatal(err)
		}
	})
}

// deadEnd makes a link on which nobody answers for an address, so that what is
// sent to it waits, and keeps its place in the send buffer.
func deadEnd(t *testing.T) {
	for _, err := range []error{
		netlab.AddVeth("end0", "end1"),
		netlab.AddAddress("end0", netip.MustParsePrefix("192.0.2.1/24")),
		netlab.LinkUp("end0"),
		netlab.LinkUp("end1"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func shrinkSendBuffer(t *testing.T, s sock) {
	t.Helper()
	raw, err := s.(*socket.ICMPv4).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1) })
	if err != nil || set != nil {
		t.Fatal(err, set)
	}
}

// fillSendBuffer sends until there is no room any more.
func fillSendBuffer(t *testing.T, s sock) {
	t.Helper()
	for range 1000 {
		_, err := s.SendBatch([]icmp.Request{{Destination: remote(icmp.V4), Size: 1000}})
		if socket.IsBusy(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the send buffer never fills")
}
