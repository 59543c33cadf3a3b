package main

import (
	"context"
	"io"
	"sync"

	"github.com/goicmp/icmplib"
)

// maxFlying bounds the probes without an answer: the stream owes no more results than
// twice that, and would wait for their reader.
const maxFlying = 1 << 16

// maxBatch is how many probes are sent, and answered, together.
const maxBatch = 64

// server answers commands: one loop over what comes in and what is settled.
type server struct {
	prober  *icmplib.Prober
	stream  *icmplib.Stream
	answers writer
	batch   []icmplib.StreamProbe // commands that are understood, and not sent yet
	flying  int                   // probes that were sent, and not answered yet
	results []icmplib.StreamResult
	last    command // whose memory is used again
	request request

	once         sync.Once
	capabilities icmplib.Capabilities
}

// serve answers the commands that it reads until there are no more, and then
// waits for the probes in flight. When nobody reads the answers any more, there is
// nothing left to do.
func serve(in io.Reader, out io.Writer) error {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		return err
	}
	defer prober.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &server{
		prober:  prober,
		stream:  prober.NewStream(),
		answers: writer{out: out},
		results: make([]icmplib.StreamResult, maxBatch),
	}
	defer s.stream.Close()
	return s.run(ctx, newCommands(ctx, in))
}

// run takes commands until there are no more, sends what came in one piece in one
// piece, and answers as probes are settled.
func (s *server) run(ctx context.Context, in *commands) error {
	pieces := in.pieces
	for pieces != nil || s.flying > 0 {
		select {
		case piece, more := <-pieces:
			if !more {
				pieces = nil
				continue
			}
			in.lines.add(piece)
			in.taken <- piece
			if err := s.commands(ctx, &in.lines); err != nil {
				return err
			}
		case <-s.stream.Ready():
			s.collect()
		}
		if err := s.answers.flush(); err != nil {
			return err
		}
	}
	return nil
}

// commands takes the commands that are there.
func (s *server) commands(ctx context.Context, lines *lines) error {
	for s.answers.err == nil {
		line, err := lines.next()
		switch {
		case err == errTooLong:
			s.answers.line("0 command-buffer-overflow")
		case err != nil:
			return s.flush(ctx)
		default:
			s.command(line)
		}
		if len(s.batch) == maxBatch {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	return s.answers.err
}

// command answers one line, or adds its probe to the batch.
func (s *server) command(line string) {
	c := &s.last
	switch {
	case !c.parse(line):
		s.answers.line("0 command-parse-error")
	case c.name == "send-probe":
		s.sendProbe(c)
	case c.name == "check-support":
		s.checkSupport(*c)
	default:
		s.answers.answer(c.token, "unknown-command")
	}
}

// flush sends the batch, and answers what has been answered meanwhile.
func (s *server) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	for s.flying > maxFlying {
		<-s.stream.Ready()
		s.collect()
	}
	s.flying += len(s.batch)
	err := s.stream.Send(ctx, s.batch)
	s.batch = s.batch[:0]
	s.collect()
	return err
}

// collect answers the probes that are settled.
func (s *server) collect() {
	for {
		n := s.stream.Collect(s.results)
		for i := range s.results[:n] {
			s.answers.pending = appendAnswer(s.answers.pending, int(int64(s.results[i].Tag)), &s.results[i].Result)
		}
		s.flying -= n
		if n < len(s.results) {
			return
		}
	}
}
