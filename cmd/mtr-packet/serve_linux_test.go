package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// answers runs commands and returns the answers, sorted, with times as T.
func answers(t *testing.T, commands ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := serve(strings.NewReader(strings.Join(commands, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`round-trip-time \d+`).ReplaceAllString(out.String(), "round-trip-time T")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

func TestProbesOfEveryProtocolAreAnswered(t *testing.T) {
	for _, unprivileged := range []bool{false, true} {
		t.Run(fmt.Sprintf("unprivileged %v", unprivileged), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: unprivileged}, func(t *testing.T) {
				got := answers(t,
					"1 send-probe ip-4 127.0.0.1",
					"2 send-probe ip-6 ::1 size 200",
					"3 send-probe ip-4 127.0.0.1 protocol udp port 33434",
					"4 send-probe ip-4 127.0.0.1 protocol tcp port 9",
					"5 send-probe ip-4 127.0.0.1 ttl 0",
					"6 send-probe ip-4 192.0.2.1",
					"7 send-probe ip-4 127.0.0.1 local-ip-4 192.0.2.9",
					"8 send-probe ip-4 127.0.0.1 bit-pattern 85",
					"9 check-support feature send-probe",
				)
				want := []string{
					"1 reply ip-4 127.0.0.1 round-trip-time T",
					"2 reply ip-6 ::1 round-trip-time T",
					"3 reply ip-4 127.0.0.1 round-trip-time T",
					"4 reply ip-4 127.0.0.1 round-trip-time T",
					"5 invalid-argument",
					"6 no-route-network",
					"7 address-not-available",
					"8 reply ip-4 127.0.0.1 round-trip-time T",
					"9 feature-support support ok",
				}
				if !slices.Equal(got, want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		})
	}
}

func TestSupportIsWhatTheProcessMayDo(t *testing.T) {
	for _, tt := range []struct {
		name         string
		unprivileged bool
		want         map[string]string
	}{
		{"with privileges", false, map[string]string{"ip-4": "ok", "ip-6": "ok", "icmp": "ok", "udp": "ok", "tcp": "ok", "sctp": "ok", "mark": "ok", "colour": "no"}},
		{"without", true, map[string]string{"ip-4": "ok", "ip-6": "ok", "icmp": "ok", "udp": "ok", "tcp": "ok", "sctp": "no", "mark": "no", "colour": "no"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: tt.unprivileged}, func(t *testing.T) {
				for feature, support := range tt.want {
					if got := answers(t, "1 check-support feature "+feature); got[0] != "1 feature-support support "+support {
						t.Errorf("%s: %s, want %s", feature, got[0], support)
					}
				}
			})
		})
	}
}

func TestTwentyThousandProbesAreEachAnsweredOnce(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		const n = 20_000
		var in bytes.Buffer
		for i := range n {
			fmt.Fprintf(&in, "%d send-probe ip-4 127.0.%d.%d\n", i+1, i>>8&255, i&255|1)
		}
		var out bytes.Buffer
		if err := serve(&in, &out); err != nil {
			t.Fatal(err)
		}
		seen := make([]int, n+1)
		for line := range strings.Lines(out.String()) {
			var token int
			if _, err := fmt.Sscanf(line, "%d reply", &token); err != nil || token < 1 || token > n {
				t.Fatalf("an answer is %q", line)
			}
			seen[token]++
		}
		for token, times := range seen[1:] {
			if times != 1 {
				t.Fatalf("token %d has %d answers", token+1, times)
			}
		}
	})
}

// brokenPipe fails when it is written to.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAClosedOutputEndsIt(t *testing.T) {
	in, feed := io.Pipe()
	go func() {
		fmt.Fprintln(feed, "1 bogus")
		for {
			if _, err := fmt.Fprintln(feed, "2 bogus"); err != nil {
				return
			}
		}
	}()
	err := serve(in, brokenPipe{})
	in.Close()
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("serve returns %v", err)
	}
}

// stuck is a reader that does not read until it is released.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) {
	<-s.release
	return len(b), nil
}

// A client that writes and does not read is not read from without end.
func TestAClientThatDoesNotReadIsNotReadFrom(t *testing.T) {
	in, feed := io.Pipe()
	out := stuck{make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- serve(in, out) }()
	line := []byte("1 bogus\n")
	written, blocked := 0, make(chan struct{})
	go func() {
		defer close(blocked)
		for written < 16<<20 {
			n, err := feed.Write(bytes.Repeat(line, 512))
			if written += n; err != nil {
				return
			}
		}
	}()
	select {
	case <-blocked:
		t.Errorf("%d bytes of commands were taken", written)
	case <-time.After(time.Second):
		feed.Close() // it stands
		<-blocked
	}
	close(out.release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
