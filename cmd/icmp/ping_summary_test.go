package main

import (
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

func TestASummaryIsDrawnIfAsked(t *testing.T) {
	var out strings.Builder
	report := newTextReporter(&out, &pingFlags{quiet: true})
	report.drawn = true
	hosts := []*icmplib.Host{{Name: "192.0.2.7"}, {Name: "192.0.2.9"}}
	for seq, rtt := range []time.Duration{10, 12, 14, 12} {
		r := reply(seq, rtt*time.Millisecond)
		hosts[0].Add(r)
		report.result(hosts[0], r)
	}
	silence := icmplib.Result{Dst: router4, Status: icmplib.StatusNoReply, Sent: someTime}
	hosts[1].Add(silence)
	report.result(hosts[1], silence)
	report.summaries(hosts)
	const want = `
--- 192.0.2.7 ping statistics ---
4 packets transmitted, 4 received, 0% packet loss
rtt min/avg/max/stddev = 10.000/12.000/14.000/1.633 ms, jitter = 2.000 ms
last 4: _=#=

10.000 - 10.500 ms  #################### 1
10.500 - 11.000 ms  0
11.000 - 11.500 ms  0
11.500 - 12.000 ms  ######################################## 2
12.000 - 12.500 ms  0
12.500 - 13.000 ms  0
13.000 - 13.500 ms  0
13.500 - 14.000 ms  #################### 1

--- 192.0.2.9 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
