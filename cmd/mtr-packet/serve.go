package main

import (
	"context"
	"io"
	"sync"

	"github.com/goicmp/icmplib"
)

// maxBatch is how many probes are sent, and answered, together.
const maxBatch = 64

// server answers commands.
type server struct {
	prober  *icmplib.Prober
	stream  *icmplib.Stream
	answers *writer
	batch   []icmplib.StreamProbe // commands that are understood, and not sent yet
	flying  sync.WaitGroup        // probes that were sent, and not answered yet

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
	s := &server{prober: prober, stream: prober.NewStream(), answers: newWriter(out, cancel)}
	var receiver sync.WaitGroup
	receiver.Go(func() { s.receive(ctx) })
	if s.read(ctx, newLineReader(in)) == nil {
		s.flying.Wait()
	}
	s.stream.Close()
	receiver.Wait()
	return s.answers.close()
}

// read takes commands until there are no more. What came in one piece is sent
// in one piece.
func (s *server) read(ctx context.Context, lines *lineReader) error {
	for {
		line, err := lines.next()
		switch {
		case err == nil:
			s.command(line)
		case err == errTooLong:
			s.answers.line("0 command-buffer-overflow")
		default:
			return s.flush(ctx)
		}
		if len(s.batch) == maxBatch || !lines.ready() {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// command answers one line, or adds its probe to the batch.
func (s *server) command(line string) {
	c, ok := parseCommand(line)
	switch {
	case !ok:
		s.answers.line("0 command-parse-error")
	case c.name == "send-probe":
		s.sendProbe(&c)
	case c.name == "check-support":
		s.checkSupport(c)
	default:
		s.answers.answer(c.token, "unknown-command")
	}
}

// flush sends the batch.
func (s *server) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return ctx.Err()
	}
	s.flying.Add(len(s.batch))
	err := s.stream.Send(ctx, s.batch)
	s.batch = s.batch[:0]
	return err
}

// receive answers probes as they are settled.
func (s *server) receive(ctx context.Context) {
	results := make([]icmplib.StreamResult, maxBatch)
	var text []byte
	for {
		n, err := s.stream.Receive(ctx, results)
		if err != nil {
			return
		}
		text = text[:0]
		for i := range results[:n] {
			text = appendAnswer(text, int(int64(results[i].Tag)), &results[i].Result)
		}
		s.answers.write(text)
		s.flying.Add(-n)
	}
}
