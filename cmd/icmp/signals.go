package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals returns a context that ends when somebody asks the program to end, and
// through which SIGQUIT (Ctrl-\) asks for the statistics so far. What was ignored
// when the program began, as SIGHUP by nohup, stays so.
func signals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := signal.NotifyContext(parent, heeded(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)...)
	asked := make(chan os.Signal, 1)
	if quit := heeded(syscall.SIGQUIT); len(quit) > 0 {
		signal.Notify(asked, quit...)
	}
	return context.WithValue(ctx, askedKey{}, (<-chan os.Signal)(asked)), func() {
		signal.Stop(asked)
		cancel()
	}
}

func heeded(all ...os.Signal) (signals []os.Signal) {
	for _, s := range all {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// askedKey is that of the channel on which somebody asks for the statistics so far.
type askedKey struct{}

// whenAsked calls tell each time that somebody asks for the statistics so far, until
// stop is called. That is before anything concludes, which has the figures and the
// terminal to itself.
func whenAsked(ctx context.Context, tell func()) (stop func()) {
	asked, _ := ctx.Value(askedKey{}).(<-chan os.Signal)
	if asked == nil {
		return func() {}
	}
	end := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			select {
			case <-asked:
				if isTerminal(os.Stderr) {
					_, _ = io.WriteString(os.Stderr, "\r") // over the ^\ that a terminal shows for the key
				}
				tell()
			case <-end:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(end)
		ended.Wait()
	})
}

// keepTable writes the last words of a command that had the terminal to itself. If the
// terminal is gone, as with its connection, they are kept in a file.
func keepTable(t terminal, command, text string) {
	if _, err := io.WriteString(t.out, text); err == nil || text == "" {
		return
	}
	file, err := os.CreateTemp("", "icmp-"+command+"-*.txt")
	if err != nil {
		return
	}
	defer file.Close()
	if _, err := io.WriteString(file, text); err == nil {
		fmt.Fprintf(t.err, "the terminal was closed: the table is in %s\n", file.Name())
	}
}
