package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// watcher is an output that calls do whenever it is written to and has a text.
type watcher struct {
	mu   sync.Mutex
	text strings.Builder
	want string
	do   func()
}

func (w *watcher) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	if strings.Contains(w.text.String(), w.want) {
		w.do()
	}
	return len(b), nil
}

// Ctrl-\ prints the statistics so far, and the command goes on until it is
// interrupted.
func TestTheStatisticsSoFarAreTold(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		for line, want := range map[string]string{
			"ping -i 1ms 127.0.0.1":                        "127.0.0.1: ",
			"ping --json -i 1ms ::1":                       " packet loss, rtt min/avg/max/stddev = ",
			"multiping -c 1 127.0.0.0/8":                   " alive, 0 unreachable",
			"multiping --loop --interval 1ms 127.0.0.0/28": " packets transmitted, ",
			"traceroute --json --file - -q 1":              " reached, so far",
			"mtr -n -r -c 0 -i 1ms 127.0.0.1":              "  1.|-- 127.0.0.1 ",
			"traceroute -n -z 10ms -q 1000 127.0.0.1":      " hops are known so far",
		} {
			t.Run(line, func(t *testing.T) {
				asked := make(chan os.Signal)
				ctx, cancel := context.WithCancel(context.WithValue(t.Context(), askedKey{}, (<-chan os.Signal)(asked)))
				defer cancel()
				go func() {
					for {
						select {
						case asked <- syscall.SIGQUIT:
						case <-ctx.Done():
							return
						}
					}
				}()
				stderr := &watcher{want: want, do: cancel}
				code := run(ctx, strings.Fields(line), strings.NewReader(strings.Repeat("127.0.0.1\n127.0.0.2\n", 10_000)), &strings.Builder{}, stderr)
				if code > exitDead || !strings.Contains(stderr.text.String(), want) {
					t.Errorf("it ends with %d and says %q", code, stderr.text.String())
				}
			})
		}
	})
}

func TestAHangupEndsTheCommand(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("this process was begun with SIGHUP ignored, as nohup does, and then it stays so")
	}
	ctx, stop := signals(t.Context())
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}

func TestAnAnswerToAskingEndsWithItsCommand(t *testing.T) {
	asked := make(chan os.Signal, 1)
	told := 0
	stop := whenAsked(context.WithValue(t.Context(), askedKey{}, (<-chan os.Signal)(asked)), func() { told++ })
	stop()
	stop()
	asked <- syscall.SIGQUIT
	if told != 0 {
		t.Errorf("it tells %d times", told)
	}
}

// A terminal that is gone, as with its connection.
func TestALostTerminalLosesNoTable(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var stderr strings.Builder
	keepTable(terminal{out: &full{}, err: &stderr}, "mtr", "the table\n")
	path := strings.TrimSpace(strings.TrimPrefix(stderr.String(), "the terminal was closed: the table is in "))
	if text, err := os.ReadFile(path); err != nil || string(text) != "the table\n" {
		t.Errorf("%v, %q; it says %q", err, text, &stderr)
	}
	var out strings.Builder
	keepTable(terminal{out: &out, err: &stderr}, "mtr", "the table\n")
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); out.String() != "the table\n" || len(entries) != 1 {
		t.Errorf("a terminal that is there: %q and %d files", &out, len(entries))
	}
}
