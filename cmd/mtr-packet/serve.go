package main

import (
	"context"
	"io"
	"sync"

	"github.com/goicmp/icmplib"
)

// server answers commands.
type server struct {
	prober  *icmplib.Prober
	answers *writer
	probes  sync.WaitGroup

	once         sync.Once
	capabilities icmplib.Capabilities
}

// serve answers the commands that it reads until there are no more, and then
// waits for the probes in flight.
func serve(in io.Reader, out io.Writer) error {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		return err
	}
	defer prober.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// When nobody reads the answers any more, there is nothing left to do.
	s := &server{prober: prober, answers: newWriter(out, cancel)}
	lines := newLineReader(in)
	for ctx.Err() == nil {
		line, err := lines.next()
		if err == errTooLong {
			s.answers.line("0 command-buffer-overflow")
			continue
		}
		if err != nil {
			break
		}
		s.command(ctx, line)
	}
	s.probes.Wait()
	return s.answers.close()
}

// command answers one line.
func (s *server) command(ctx context.Context, line string) {
	c, ok := parseCommand(line)
	switch {
	case !ok:
		s.answers.line("0 command-parse-error")
	case c.name == "send-probe":
		s.probes.Go(func() { s.sendProbe(ctx, c) })
	case c.name == "check-support":
		s.checkSupport(c)
	default:
		s.answers.answer(c.token, "unknown-command")
	}
}
