package icmplib

import (
	"errors"
	"io/fs"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// icmpResult is what the router said of a probe.
func icmpResult(dst string, status Status, number, code uint8) Result {
	return Result{
		Dst: netip.MustParseAddr(dst), Responder: testRouter, Status: status,
		Type: icmp.MakeType(icmp.VersionOf(netip.MustParseAddr(dst)), number), Code: code, Sent: testSent, RTT: 3 * ms,
	}
}

func TestResultAsAnError(t *testing.T) {
	refusal := &fs.PathError{Op: "sendmsg", Path: "192.0.2.1", Err: syscall.EHOSTUNREACH}
	tests := []struct {
		name   string
		result Result
		is     error // nil: there is no error
	}{
		{"a reply is none", reply(0, ms), nil},
		{"a late reply is none", late(reply(0, ms)), nil},
		{"a port that refuses is a reply, hence none", icmpResult("192.0.2.1", StatusReply, 3, 3), nil},
		{"silence is ErrTimeout", fate(0, StatusNoReply), ErrTimeout},
		{"an IPv4 time exceeded is ErrTimeExceeded",
			icmpResult("192.0.2.1", StatusTTLExpired, 11, 0), ErrTimeExceeded},
		{"an IPv6 time exceeded is ErrTimeExceeded",
			icmpResult("2001:db8::1", StatusTTLExpired, 3, 0), ErrTimeExceeded},
		{"an IPv4 destination unreachable is ErrUnreachable",
			icmpResult("192.0.2.1", StatusUnreachable, 3, 1), ErrUnreachable},
		{"an IPv6 destination unreachable is ErrUnreachable",
			icmpResult("2001:db8::1", StatusUnreachable, 1, 0), ErrUnreachable},
		{"an IPv4 fragmentation needed is ErrPacketTooBig",
			icmpResult("192.0.2.1", StatusPacketTooBig, 3, 4), ErrPacketTooBig},
		{"an IPv6 packet too big is ErrPacketTooBig",
			icmpResult("2001:db8::1", StatusPacketTooBig, 2, 0), ErrPacketTooBig},
		{"an expiry without its ICMP message is ErrTimeExceeded all the same",
			fate(0, StatusTTLExpired), ErrTimeExceeded},
		{"a packet too big without its ICMP message is ErrPacketTooBig all the same",
			fate(0, StatusPacketTooBig), ErrPacketTooBig},
		{"a refusal to send is its cause",
			unsent(with(fate(0, StatusUnreachable), func(r *Result) { r.Cause = refusal })), syscall.EHOSTUNREACH},
		{"a missing route of unknown cause is ErrUnreachable",
			unsent(fate(0, StatusNetworkUnreachable)), ErrUnreachable},
		{"a refused permission of unknown cause is os.ErrPermission",
			unsent(fate(0, StatusPermissionDenied)), fs.ErrPermission},
		{"an invalid argument of unknown cause is os.ErrInvalid",
			unsent(fate(0, StatusInvalidArgument)), fs.ErrInvalid},
		{"an unknown fate is told by its word", fate(0, StatusUnsettled), statusError(StatusUnsettled)},
		{"so is an unknown cause", unsent(fate(0, StatusSendError)), statusError(StatusSendError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.result.Err()
			if tt.is == nil && err != nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("Err() = %v, want %v", err, tt.is)
			}
			for _, other := range []error{ErrTimeout, ErrTimeExceeded, ErrUnreachable, ErrPacketTooBig} {
				if other != tt.is && errors.Is(err, other) {
					t.Errorf("Err() = %v is %v, too", err, other)
				}
			}
		})
	}
}

func TestResultErrorCarriesTheMessage(t *testing.T) {
	r := icmpResult("192.0.2.1", StatusPacketTooBig, 3, 4)
	r.MTU, r.ReplyTTL, r.ReplyTrafficClass, r.Size = 1400, 250, 0xc0, 36
	message, ok := errors.AsType[*icmp.Error](r.Err())
	if !ok {
		t.Fatalf("Err() = %#v, want an *icmp.Error", r.Err())
	}
	got := message.Reply
	if got.Type != icmp.MakeType(icmp.V4, 3) || got.Code != 4 || got.MTU != 1400 {
		t.Errorf("type %v, code %d, MTU %d", got.Type, got.Code, got.MTU)
	}
	if got.Source != testRouter || got.TTL != 250 || got.TrafficClass != 0xc0 || got.Size != 36 {
		t.Errorf("from %v, TTL %d, class %#x, size %d", got.Source, got.TTL, got.TrafficClass, got.Size)
	}
	if !got.Time.Equal(testSent.Add(3*ms)) || got.Quote.Destination != r.Dst {
		t.Errorf("at %v about %v", got.Time, got.Quote.Destination)
	}
	if message.Error() == "" {
		t.Error("it says nothing")
	}
	six, _ := errors.AsType[*icmp.Error](icmpResult("2001:db8::1", StatusTTLExpired, 3, 0).Err())
	if got, want := six.Reply.Type, icmp.MakeType(icmp.V6, 3); got != want {
		t.Errorf("type %v of an IPv6 probe, want %v", got, want)
	}
}

func TestResultString(t *testing.T) {
	measured := func(r *Result) { r.Size, r.ReplyTTL = 64, 57 }
	tests := []struct {
		name   string
		result Result
		want   string
	}{
		{"a reply", with(reply(3, 12300*time.Microsecond), measured),
			"192.0.2.1 seq 3: reply, 64 bytes, ttl 57, 12.3ms"},
		{"a reply by another host", with(reply(3, ms), func(r *Result) { r.Responder = testRouter }),
			"192.0.2.1 seq 3: reply from 198.51.100.7, 1ms"},
		{"silence", fate(4, StatusNoReply), "192.0.2.1 seq 4: no-reply"},
		{"silence that may be ours", suspect(fate(4, StatusNoReply)), "192.0.2.1 seq 4: no-reply, suspect"},
		{"a router's error, late", late(with(routerError(4, StatusTTLExpired, 3*ms), measured)),
			"192.0.2.1 seq 4: ttl-expired from 198.51.100.7, 64 bytes, ttl 57, 3ms, late"},
		{"a narrow link", with(routerError(5, StatusPacketTooBig, 3*ms), func(r *Result) { r.MTU = 1400 }),
			"192.0.2.1 seq 5: packet-too-big from 198.51.100.7, mtu 1400, 3ms"},
		{"a duplicate that is altered", with(duplicate(reply(6, 2*ms)), func(r *Result) { r.Altered = true }),
			"192.0.2.1 seq 6: reply, 2ms, duplicate, altered"},
		{"a refusal", unsent(with(fate(7, StatusPermissionDenied), func(r *Result) { r.Cause = fs.ErrPermission })),
			"192.0.2.1 seq 7: permission-denied (permission denied)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.result.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
