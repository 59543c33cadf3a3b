package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

// hostFields are the names that programs read.
var hostFields = []string{
	"address", "name", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "stddev_rtt_ms", "jitter_ms", "rtts_ms",
	"packets_sent", "packets_received", "packet_loss", "duplicates", "late", "send_errors", "suspect", "is_alive", "error",
}

// fieldsOf returns the names in an object, in their order.
func fieldsOf(t *testing.T, object string) []string {
	t.Helper()
	var names []string
	decoder := json.NewDecoder(strings.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		t.Fatalf("no object: %q", object)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestJSONHost(t *testing.T) {
	alive := &icmplib.Host{Name: "www.example", Address: target4}
	for _, r := range []icmplib.Result{
		reply(0, 10*time.Millisecond),
		{Dst: target4, Status: icmplib.StatusNoReply, Seq: 1, Sent: someTime},
		reply(2, 12500*time.Microsecond),
		{Dst: target4, Status: icmplib.StatusNoReply, Seq: 3, Sent: someTime},
		with(func(r *icmplib.Result) { r.Seq, r.Late = 1, true }),
		with(func(r *icmplib.Result) { r.Seq, r.Duplicate = 2, true }),
	} {
		alive.Add(r)
	}
	for _, tt := range []struct {
		name string
		host *icmplib.Host
		want string
	}{
		{
			"that answered", alive,
			`{"address":"192.0.2.7","name":"www.example","min_rtt_ms":10,"avg_rtt_ms":11.25,"max_rtt_ms":12.5,` +
				`"stddev_rtt_ms":1.767767,"jitter_ms":2.5,"rtts_ms":[10,12.5],"packets_sent":4,"packets_received":2,` +
				`"packet_loss":0.5,"duplicates":1,"late":1,"send_errors":0,"suspect":0,"is_alive":true,"error":null}`,
		},
		{
			"that did not", silentHost(),
			`{"address":"192.0.2.7","name":"silent","min_rtt_ms":null,"avg_rtt_ms":null,"max_rtt_ms":null,` +
				`"stddev_rtt_ms":null,"jitter_ms":null,"rtts_ms":[],"packets_sent":1,"packets_received":0,` +
				`"packet_loss":1,"duplicates":0,"late":0,"send_errors":0,"suspect":0,"is_alive":false,"error":null}`,
		},
		{
			"that could not be tried", failedHost(errors.New(`cannot resolve "<&>"`)),
			`{"address":"","name":"failed","min_rtt_ms":null,"avg_rtt_ms":null,"max_rtt_ms":null,` +
				`"stddev_rtt_ms":null,"jitter_ms":null,"rtts_ms":[],"packets_sent":0,"packets_received":0,` +
				`"packet_loss":1,"duplicates":0,"late":0,"send_errors":0,"suspect":0,"is_alive":false,"error":"cannot resolve \"<&>\""}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			(&jsonReporter{out: &out}).summary(tt.host)
			if out.String() != tt.want+"\n" {
				t.Errorf("got  %s\nwant %s", &out, tt.want)
			}
			if got := fieldsOf(t, out.String()); !reflect.DeepEqual(got, hostFields) {
				t.Errorf("the fields are %q\nwant %q", got, hostFields)
			}
		})
	}
}

func TestJSONReply(t *testing.T) {
	type result = icmplib.Result
	for _, tt := range []struct {
		name   string
		result result
		want   string
	}{
		{
			"a reply", reply(0, 12345*time.Microsecond),
			`{"name":"www.example","address":"192.0.2.7","seq":0,"status":"reply","responder":"192.0.2.7",` +
				`"rtt_ms":12.345,"reply_ttl":57,"size":64,"error":null}`,
		},
		{
			"silence", result{Dst: target4, Status: icmplib.StatusNoReply, Seq: 1, Suspect: true},
			`{"name":"www.example","address":"192.0.2.7","seq":1,"status":"no-reply","rtt_ms":null,"suspect":true,"error":null}`,
		},
		{
			"a router's error", result{Dst: target4, Responder: router4, Status: icmplib.StatusPacketTooBig, RTT: time.Millisecond, MTU: 1400, Late: true},
			`{"name":"www.example","address":"192.0.2.7","seq":0,"status":"packet-too-big","responder":"198.51.100.1",` +
				`"rtt_ms":1,"mtu":1400,"late":true,"error":null}`,
		},
		{
			"a duplicate that was changed", with(func(r *result) { r.Duplicate, r.Altered = true, true }),
			`{"name":"www.example","address":"192.0.2.7","seq":3,"status":"reply","responder":"192.0.2.7",` +
				`"rtt_ms":12.345,"reply_ttl":57,"size":64,"duplicate":true,"altered":true,"error":null}`,
		},
		{
			"what the system did not send", result{Dst: target4, Status: icmplib.StatusNetworkUnreachable, Cause: errors.New("network is unreachable")},
			`{"name":"www.example","address":"192.0.2.7","seq":0,"status":"no-route-network","rtt_ms":null,"error":"network is unreachable"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := &icmplib.Host{Name: "www.example", Address: target4}
			var out, silent strings.Builder
			(&jsonReporter{out: &out, replies: true}).result(host, tt.result)
			if out.String() != tt.want+"\n" {
				t.Errorf("got  %s\nwant %s", &out, tt.want)
			}
			(&jsonReporter{out: &silent}).result(host, tt.result)
			if silent.Len() > 0 {
				t.Errorf("without --verbose it prints %s", &silent)
			}
		})
	}
}
