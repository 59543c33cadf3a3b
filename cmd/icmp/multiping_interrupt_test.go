package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// stopper is an output that ends the command when it has some lines.
type stopper struct {
	strings.Builder
	lines int
	stop  func()
}

func (s *stopper) Write(b []byte) (int, error) {
	n, err := s.Builder.Write(b)
	if strings.Count(s.String(), "\n") == s.lines {
		s.stop()
	}
	return n, err
}

func TestAnInterruptEndsASweepWithTheSummary(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		for _, line := range []string{"127.0.0.0/8", "--shuffle 127.0.0.0/8", "--shard 3/7 --rate 0 127.0.0.0/8"} {
			t.Run(line, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				out := &stopper{lines: 1, stop: cancel}
				var stderr strings.Builder
				code := run(ctx, append([]string{"multiping", "-c", "1"}, strings.Fields(line)...), nil, out, &stderr)
				command{code, out.String(), stderr.String()}.check(t, exitDead)
				if strings.Contains(out.String(), "unreachable") {
					t.Errorf("what is open is said to be unreachable:\n%s", out)
				}
				for _, want := range []string{"interrupted", " alive, 0 unreachable", "packets/s"} {
					if !strings.Contains(stderr.String(), want) {
						t.Errorf("the summary does not say %q: %s", want, &stderr)
					}
				}
			})
		}
		t.Run("before anything was sent", func(t *testing.T) {
			got := runLine(interrupted(t), "multiping", "127.0.0.1")
			got.check(t, exitDead)
		})
		t.Run("while a list is awaited", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			list, w := io.Pipe()
			t.Cleanup(func() { w.Close() })
			go func() {
				fmt.Fprintln(w, "127.0.0.1")
				cancel()
			}()
			var stdout, stderr strings.Builder
			code := run(ctx, []string{"multiping"}, list, &stdout, &stderr)
			command{code, stdout.String(), stderr.String()}.check(t, exitDead)
		})
	})
}

// A bad line of standard input is found when it comes: what came before was pinged.
func TestABadLineEndsASweepThatIsUnderWay(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLineWith(t.Context(), "127.0.0.1\n127.0.0.9-1\n127.0.0.2\n", "multiping", "-c", "1", "-a")
		got.check(t, exitUsage)
		if got.stdout != "127.0.0.1\n" {
			t.Errorf("got %q", got.stdout)
		}
		if !strings.Contains(got.stderr, "line 2") {
			t.Errorf("the message does not say where: %s", got.stderr)
		}
	})
}
