package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/pcapng"
)

// recorder writes the packets of Probers to a file.
type recorder struct {
	mu     sync.Mutex
	file   *os.File
	buffer *bufio.Writer
	w      *pcapng.Writer
	failed func(error) // is told of the first error
	broken bool
}

// newProber makes the Prober of a command, whose packets are recorded where that is
// asked for. The function ends it, and is to be called once.
func (f *probeFlags) newProber(ctx context.Context, cfg *icmplib.Config) (*icmplib.Prober, func(), error) {
	all, end, err := f.newProbers(ctx, cfg, 1)
	if err != nil {
		return nil, nil, err
	}
	return all[0], end, nil
}

// newProbers makes several that are alike, and are recorded in one file.
func (f *probeFlags) newProbers(ctx context.Context, cfg *icmplib.Config, n int) ([]*icmplib.Prober, func(), error) {
	if f.record == "" {
		return severalProbers(cfg, n)
	}
	file, err := os.Create(f.record)
	if err != nil {
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	r := &recorder{file: file, buffer: bufio.NewWriter(file)}
	r.failed = func(err error) {
		if out, ok := ctx.Value(outputKey{}).(*output); ok {
			out.broke(fmt.Errorf("--record: %w", err))
		}
	}
	if r.w, err = pcapng.NewWriter(r.buffer, "icmp"); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	recorded := *cfg
	recorded.Trace = r.note
	all, end, err := severalProbers(&recorded, n)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return all, func() { end(); r.end() }, nil
}

func severalProbers(cfg *icmplib.Config, n int) (all []*icmplib.Prober, end func(), err error) {
	end = func() {
		for _, p := range all {
			p.Close()
		}
	}
	for range n {
		p, err := icmplib.NewProber(cfg)
		if err != nil {
			end()
			return nil, nil, err
		}
		all = append(all, p)
	}
	return all, end, nil
}

// note writes what there is a packet of. That a probe was silent shows in that no
// answer was credited to it.
func (r *recorder) note(e icmplib.TraceEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Packet == nil || r.broken {
		return
	}
	p := pcapng.Packet{Time: e.Time, Data: e.Packet, Outbound: e.Kind != icmplib.TraceReceived, Comment: e.Verdict}
	switch {
	case e.Kind == icmplib.TraceRefused:
		p.Comment = fmt.Sprintf("probe %x: not sent: %v", e.Probe, e.Cause)
	case e.Kind == icmplib.TraceSent:
		p.Comment = fmt.Sprintf("probe %x", e.Probe)
	case e.Probe != 0:
		p.Comment = fmt.Sprintf("probe %x after %v: %s", e.Probe, e.RTT, e.Verdict)
	}
	if e.Missed > 0 {
		p.Comment += fmt.Sprintf(" (%d packets before this one are missing)", e.Missed)
	}
	r.check(r.w.Write(&p))
}

func (r *recorder) check(err error) {
	if err != nil && !r.broken {
		r.broken = true
		r.failed(err)
	}
}

// end completes the file.
func (r *recorder) end() {
	if !r.broken {
		r.check(r.buffer.Flush())
	}
	r.check(r.file.Close())
}
