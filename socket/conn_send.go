package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

const (
	maxBatch = 64 // datagrams that one system call takes

	// flushBytes ends a batch of large messages early, so that the buffer in
	// which they are encoded stays small.
	flushBytes = 256 << 10
)

// send sends one request and waits for room in the send buffer if need be.
func (c *conn) send(ctx context.Context, req *icmp.Request) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.reset()
	if err := c.encode(req); err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err := c.flush()
		req.Time = c.out[0].Sent
		if err == nil || !IsBusy(err) {
			return c.sendError(req.Destination, err)
		}
		if err := c.link.waitWritable(ctx); err != nil {
			return c.sendError(req.Destination, err)
		}
	}
}

// sendBatch sends requests in order, without waiting for room.
func (c *conn) sendBatch(reqs []icmp.Request) (int, error) {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	for done := 0; ; {
		_, encodeErr := c.encodeBatch(reqs[done:])
		sent, err := c.flush()
		for i := range sent {
			reqs[done+i].Time = c.out[i].Sent
		}
		done += sent
		switch {
		case err != nil:
			return done, c.sendError(reqs[done].Destination, err)
		case encodeErr != nil:
			return done, encodeErr
		case done == len(reqs):
			return done, nil
		}
	}
}

// encodeBatch encodes as many requests as go out together. It stops before one
// that is invalid and says why.
func (c *conn) encodeBatch(reqs []icmp.Request) (n int, err error) {
	c.reset()
	for i := range reqs {
		if i == maxBatch || len(c.buf) > flushBytes {
			break
		}
		if err := c.encode(&reqs[i]); err != nil {
			return i, err
		}
		n++
	}
	return n, nil
}

func (c *conn) reset() { c.buf, c.ends, c.out = c.buf[:0], c.ends[:0], c.out[:0] }

// encode appends the request's message to c.buf and its description to c.out,
// whose Data is filled in by flush, when c.buf no longer moves.
func (c *conn) encode(req *icmp.Request) error {
	to := req.Destination.Unmap()
	if !to.IsValid() || to.Is4() != (c.version == icmp.V4) {
		return &ConfigError{Field: "Destination", Value: req.Destination, Allowed: "an " + c.version.String() + " address"}
	}
	zone, err := c.zones.Index(to.Zone())
	if err != nil {
		return err
	}
	req.ID = c.id
	if c.buf, err = req.Append(c.buf); err != nil {
		return err
	}
	out := sys.Outbound{To: to.WithZone(""), Zone: zone, Timeout: req.Timeout}
	out.Differ(req.TTL, icmp.DefaultTTL, req.TrafficClass)
	c.out, c.ends = append(c.out, out), append(c.ends, len(c.buf))
	return nil
}

// flush gives the encoded messages to the kernel.
func (c *conn) flush() (int, error) {
	if len(c.out) == 0 {
		return 0, nil
	}
	start := 0
	for i, end := range c.ends {
		c.out[i].Data, start = c.buf[start:end], end
	}
	return c.link.send(c.out)
}

// sendError wraps err, and says what to do where that is known.
func (c *conn) sendError(to netip.Addr, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.EACCES) && c.version == icmp.V4 && !c.broadcast.Load() && IsBroadcast(to.Unmap()) {
		err = fmt.Errorf("%w: %w", ErrBroadcast, err)
	}
	return c.opError(opSend, to, err)
}
