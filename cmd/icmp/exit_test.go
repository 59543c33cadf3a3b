package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// Faults as the library reports them.
var (
	errNoName = fmt.Errorf("cannot resolve %q: %w", "no..name", icmplib.ErrNameLookup)
	errDenied = &socket.OpError{Op: "listen", V: icmp.V4, Err: errors.Join(
		&socket.PermissionError{Obstacle: "one", Err: syscall.EACCES}, &socket.PermissionError{Obstacle: "two", Err: syscall.EPERM})}
	errNoRoute = &socket.OpError{Op: "send", V: icmp.V4, Err: os.NewSyscallError("sendmsg", syscall.ENETUNREACH)}
)

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"0 when all targets answered", nil, 0},
		{"1 when some did not", errDead, 1},
		{"2 for a name that is not found", errNoName, 2},
		{"3 for a bad command line", errors.New("unknown flag: --nosuch"), 3},
		{"3 for an option that the library refuses", &icmplib.ConfigError{Field: "TTL", Value: 256, Allowed: "1 to 255"}, 3},
		{"4 without the permission", errDenied, 4},
		{"4 for a socket that fails", errNoRoute, 4},
		{"4 for a system call that fails", os.NewSyscallError("socket", syscall.EMFILE), 4},
		{"of two faults the gravest, which comes second", failures{errNoName, errDenied}, 4},
		{"of two faults the gravest, which comes first", failures{errDenied, errNoName}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestExitMessages(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want []string
	}{
		{"success says nothing", nil, nil},
		{"a dead target has been told of", errDead, nil},
		{"one fault", errNoName, []string{`cannot resolve "no..name": name lookup failed`}},
		{"each of several", failures{errNoName, errors.New("other")}, []string{`cannot resolve "no..name": name lookup failed`, "other"}},
		{"several causes of one are indented", errors.Join(errors.New("one"), errors.New("two")), []string{"one\n      two"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitMessages(tt.err); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The hosts of a verdict.
func aliveHost() *icmplib.Host {
	h := &icmplib.Host{Name: "alive", Address: target4}
	h.Add(reply(0, time.Millisecond))
	return h
}

func silentHost() *icmplib.Host {
	h := &icmplib.Host{Name: "silent", Address: target4}
	h.Add(icmplib.Result{Dst: target4, Status: icmplib.StatusNoReply, Sent: someTime})
	return h
}

func failedHost(err error) *icmplib.Host { return &icmplib.Host{Name: "failed", Err: err} }

func refusedHost(err error) *icmplib.Host {
	h := &icmplib.Host{Name: "refused", Address: target4, Err: err}
	h.Add(icmplib.Result{Dst: target4, Cause: err})
	return h
}

func TestVerdict(t *testing.T) {
	type hosts = []*icmplib.Host
	for _, tt := range []struct {
		name     string
		hosts    hosts
		code     int
		messages int
	}{
		{"all alive", hosts{aliveHost(), aliveHost()}, exitAlive, 0},
		{"one silent", hosts{aliveHost(), silentHost()}, exitDead, 0},
		{"interrupted before anything was sent", hosts{failedHost(nil)}, exitDead, 0},
		{"a name that is not found outweighs silence", hosts{failedHost(errNoName), silentHost()}, exitNoName, 1},
		{"a missing permission outweighs all", hosts{failedHost(errDenied), failedHost(errNoName)}, exitFailure, 2},
		{"the same fault is told once", hosts{failedHost(errDenied), failedHost(errDenied)}, exitFailure, 1},
		{"what has no route is dead", hosts{refusedHost(errNoRoute)}, exitDead, 0},
		{"what a firewall forbids is not", hosts{refusedHost(os.NewSyscallError("sendmsg", syscall.EPERM))}, exitFailure, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := verdict(tt.hosts)
			if got := exitCode(err); got != tt.code {
				t.Errorf("the exit code is %d, want %d", got, tt.code)
			}
			if got := exitMessages(err); len(got) != tt.messages {
				t.Errorf("the messages are %q, want %d", got, tt.messages)
			}
		})
	}
}

// What made-up results have in common.
var (
	target4  = netip.MustParseAddr("192.0.2.7")
	target6  = netip.MustParseAddr("2001:db8::7")
	router4  = netip.MustParseAddr("198.51.100.1")
	router6  = netip.MustParseAddr("2001:db8::1")
	someTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// reply is an answer of target4.
func reply(seq int, rtt time.Duration) icmplib.Result {
	return icmplib.Result{
		Dst: target4, Responder: target4, Status: icmplib.StatusReply, RTT: rtt, Seq: seq,
		TTL: 64, ReplyTTL: 57, Size: 64, Sent: someTime.Add(time.Duration(seq) * time.Second),
	}
}
