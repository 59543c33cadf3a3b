package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func TestTheSummaryOfASweep(t *testing.T) {
	type hosts = []*icmplib.Host
	everything := make(hosts, 0, len(sweptHosts))
	for _, tt := range sweptHosts {
		everything = append(everything, tt.host)
	}
	for _, tt := range []struct {
		name    string
		hosts   hosts
		end     error
		order   order
		elapsed time.Duration
		want    string
	}{
		{
			"all alive", hosts{hostOf("a", reply(0, 10*time.Millisecond), reply(1, 20*time.Millisecond)), hostOf("b", reply(0, 30*time.Millisecond), silence1)},
			nil, order{shards: 1}, 2 * time.Second, `
--- multiping statistics ---
2 targets, 2 alive, 0 unreachable
4 packets transmitted, 3 received, 25% packet loss
rtt min/avg/max = 10.000/20.000/30.000 ms
2.000 s elapsed, 2.0 packets/s
`,
		},
		{
			"none alive, of a share in random order", hosts{hostOf("a", silence0, silence1)},
			nil, order{shard: 1, shards: 4, shuffle: true, seed: 42}, 1500 * time.Millisecond, `
--- multiping statistics, --shard 1/4, --seed 42 ---
1 target, 0 alive, 1 unreachable
2 packets transmitted, 0 received, 100% packet loss
1.500 s elapsed, 1.3 packets/s
`,
		},
		{
			"everything, and an interrupt", everything, context.Canceled, order{shards: 1}, 10 * time.Second, `
--- multiping statistics, interrupted ---
14 targets, 3 alive, 8 unreachable (names not found: 1), 3 still open
19 packets transmitted, 4 received, 75% packet loss, +3 errors, +1 late, +1 not sent, +4 still open
rtt min/avg/max = 1.000/9.825/14.000 ms
10.000 s elapsed, 1.9 packets/s
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var total sweepTotal
			for _, h := range tt.hosts {
				count := 2
				if h.Name == "refused" {
					count = 1
				}
				total.add(h, fateOf(h, count))
			}
			if tt.end != nil {
				total.end(tt.end)
			}
			var out strings.Builder
			total.write(&out, tt.elapsed, tt.order, total.ended())
			if out.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", &out, tt.want)
			}
		})
	}
}

func TestTheExitCodeOfASweep(t *testing.T) {
	type hosts = []*icmplib.Host
	forbidden := refusedHost(os.NewSyscallError("sendmsg", syscall.EPERM))
	for _, tt := range []struct {
		name     string
		hosts    hosts
		end      error
		code     int
		messages int
	}{
		{"no target at all, as in a share that is empty", nil, nil, exitAlive, 0},
		{"all alive", hosts{aliveHost(), aliveHost()}, nil, exitAlive, 0},
		{"one silent", hosts{aliveHost(), silentHost()}, nil, exitDead, 0},
		{"interrupted", hosts{aliveHost()}, context.Canceled, exitDead, 0},
		{"a name that is not found", hosts{silentHost(), failedHost(errNoName)}, nil, exitNoName, 1},
		{"a thousand of them are told of in the summary, and one by name", make1000(errNoName), nil, exitNoName, 1},
		{"no permission", nil, errDenied, exitFailure, 1},
		{"no permission, and a name", hosts{failedHost(errNoName)}, errDenied, exitFailure, 2},
		{"what a firewall forbids", hosts{forbidden}, nil, exitFailure, 1},
		{"what has no route is dead", hosts{refusedHost(errNoRoute)}, nil, exitDead, 0},
		{"a broadcast address is dead", hosts{refusedHost(errors.Join(socket.ErrBroadcast, syscall.EACCES))}, nil, exitDead, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var total sweepTotal
			for _, h := range tt.hosts {
				total.add(h, fateOf(h, 1))
			}
			if tt.end != nil {
				total.end(tt.end)
			}
			err := total.verdict()
			if got := exitCode(err); got != tt.code {
				t.Errorf("the exit code is %d, want %d", got, tt.code)
			}
			if got := exitMessages(err); len(got) != tt.messages {
				t.Errorf("the messages are %q, want %d", got, tt.messages)
			}
		})
	}
}

// make1000 makes hosts whose faults differ.
func make1000(err error) (hosts []*icmplib.Host) {
	for n := range 1000 {
		hosts = append(hosts, failedHost(fmt.Errorf("%d: %w", n, err)))
	}
	return hosts
}
