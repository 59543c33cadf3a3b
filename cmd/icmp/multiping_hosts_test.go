package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// hostOf is a host with results.
func hostOf(name string, results ...icmplib.Result) *icmplib.Host {
	h := &icmplib.Host{Name: name, Address: target4}
	for _, r := range results {
		h.Add(r)
	}
	return h
}

// sweptHosts are the hosts of the tests, and what is printed of each.
var sweptHosts = []struct {
	name string
	host *icmplib.Host
	fate hostFate
	text string
}{
	{"an address that answered", hostOf("192.0.2.7", reply(0, 12*time.Millisecond), reply(1, 14*time.Millisecond)), hostAlive, "192.0.2.7 is alive (13.0 ms, 0% loss)"},
	{"a name that answered once", hostOf("www.example", reply(0, 12300*time.Microsecond), silence1), hostAlive, "www.example (192.0.2.7) is alive (12.3 ms, 50% loss)"},
	{"one that answered after the command ended with its other request open", hostOf("a", reply(0, time.Millisecond), open1), hostAlive, "a (192.0.2.7) is alive (1.00 ms, 0% loss, +1 still open)"},
	{"silence", hostOf("192.0.2.7", silence0, silence1), hostDead, "192.0.2.7 is unreachable (no reply)"},
	{"an answer too late", hostOf("192.0.2.7", silence0, late0, silence1), hostDead, "192.0.2.7 is unreachable (no reply, +1 late)"},
	{"ICMP errors", hostOf("192.0.2.7", error0, error1), hostDead, "192.0.2.7 is unreachable (no-route-host)"},
	{"an ICMP error and silence", hostOf("192.0.2.7", error0, silence1), hostDead, "192.0.2.7 is unreachable (no reply, +1 errors)"},
	{"a name that there is not", failedHost(errNoName), hostNoName, `failed is unreachable (cannot resolve "no..name": name lookup failed)`},
	{"no route", refusedHost(errNoRoute), hostDead, "refused (192.0.2.7) is unreachable (" + errNoRoute.Error() + ")"},
	{"several causes, on one line", failedHost(errors.Join(errors.New("one"), errors.New("two"))), hostDead, "failed is unreachable (one; two)"},
	{"a broadcast address", failedHost(fmt.Errorf("send: %w", socket.ErrBroadcast)), hostDead, "failed is unreachable (a broadcast address, which --broadcast allows)"},
	{"drawn when the permission turned out to be missing", failedHost(errDenied), hostOpen, ""},
	{"drawn when the command ended", failedHost(context.Canceled), hostOpen, ""},
	{"open when the command ended", hostOf("a", open0, open1), hostOpen, ""},
	{"half open when the command ended", hostOf("a", silence0, open1), hostOpen, ""},
	{"silent to its first request when the command ended", hostOf("a", silence0), hostOpen, ""},
}

var (
	silence0 = icmplib.Result{Dst: target4, Status: icmplib.StatusNoReply, Sent: someTime}
	silence1 = icmplib.Result{Dst: target4, Status: icmplib.StatusNoReply, Seq: 1, Sent: someTime}
	late0    = icmplib.Result{Dst: target4, Responder: target4, Status: icmplib.StatusReply, RTT: time.Second, Late: true, Sent: someTime}
	error0   = icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusUnreachable, Sent: someTime}
	error1   = icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusUnreachable, Seq: 1, Sent: someTime}
	open0    = icmplib.Result{Dst: target4, Status: icmplib.StatusUnsettled, Sent: someTime}
	open1    = icmplib.Result{Dst: target4, Status: icmplib.StatusUnsettled, Seq: 1, Sent: someTime}
)

func TestTheFateOfAHostAndItsLine(t *testing.T) {
	for _, tt := range sweptHosts {
		t.Run(tt.name, func(t *testing.T) {
			count := 2
			if tt.host.Name == "refused" {
				count = 1
			}
			fate := fateOf(tt.host, count)
			if fate != tt.fate {
				t.Errorf("the fate is %d, want %d", fate, tt.fate)
			}
			if fate == hostOpen {
				return // it is not printed
			}
			var out, name strings.Builder
			textHosts{&out}.host(tt.host, fate)
			if out.String() != tt.text+"\n" {
				t.Errorf("got  %s\nwant %s", &out, tt.text)
			}
			nameHosts{&name}.host(tt.host, fate)
			if name.String() != tt.host.Name+"\n" {
				t.Errorf("its name is %q", &name)
			}
		})
	}
}
