package netlab

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// port is the network's end of a device.
type port interface {
	// read returns the next IP packet that the kernel sends. It is valid until
	// the next read.
	read() ([]byte, error)
	// write gives an IP packet to the kernel.
	write(packet []byte) error
	Close() error
}

// carrier carries packets between a port and a network.
type carrier struct {
	network *netsim.Network
	client  []netip.Addr
	port    port
	passed  func(packet []byte, due, before, after time.Time) // see Device; nil: nobody asks

	mu      sync.Mutex // also keeps packets in order: it is held while they are written
	waiting queue
	failed  error

	sooner chan struct{} // the first packet in the queue is another one
	done   chan struct{}
	ends   sync.WaitGroup
}

func carry(t testing.TB, network *netsim.Network, device Device) {
	t.Helper()
	c, err := newCarrier(network, openDevice(t, device), device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Errorf("the device of the simulated network: %v", err)
		}
	})
}

// newCarrier makes a device the way to a network, and sets to work. Where it
// fails, it closes the port.
func newCarrier(network *netsim.Network, port port, device Device) (*carrier, error) {
	if err := configureDevice(device, network.Client()); err != nil {
		return nil, errors.Join(err, port.Close())
	}
	c := &carrier{
		network: network,
		client:  network.Client(),
		port:    port,
		passed:  device.Passed,
		sooner:  make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	c.ends.Go(c.send)
	c.ends.Go(c.deliver)
	return c, nil
}

func (c *carrier) close() error {
	close(c.done)
	err := c.port.Close()
	c.ends.Wait()
	return errors.Join(c.failed, err)
}

// send gives the network what the kernel sends.
func (c *carrier) send() {
	var answers []netsim.Delivery
	for {
		packet, err := c.port.read()
		if err != nil {
			c.fail(err)
			return
		}
		if !slices.Contains(c.client, source(packet)) {
			continue // the kernel says it on its own account, from no address or a link-local one
		}
		answers = c.network.AppendSend(answers[:0], time.Now(), packet)
		c.schedule(answers)
	}
}

// source returns the sender of a packet, the zero Addr for what is no IP.
func source(packet []byte) netip.Addr {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[12:16]))
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[8:24]))
	}
	return netip.Addr{}
}

// schedule lets packets wait for their time, and delivers those whose time it
// is, without the detour of waking another goroutine.
func (c *carrier) schedule(packets []netsim.Delivery) {
	if len(packets) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, any := c.waiting.next()
	for i := range packets {
		c.waiting.push(&packets[i])
	}
	c.deliverDue(time.Now())
	if next, ok := c.waiting.next(); ok && (!any || next.Before(before)) {
		select {
		case c.sooner <- struct{}{}:
		default:
		}
	}
}

// deliverDue delivers what is due at now. The caller holds the lock.
func (c *carrier) deliverDue(now time.Time) {
	for {
		due, _ := c.waiting.next()
		packet := c.waiting.pop(now)
		if packet == nil {
			return
		}
		before := time.Now()
		if err := c.port.write(packet); err != nil && !refused(err) {
			c.failed = ended(err)
			return
		}
		if c.passed != nil {
			c.passed(packet, due, before, time.Now())
		}
	}
}

// noiseAhead is for how long noise is made beforehand.
const noiseAhead = 250 * time.Millisecond

// deliver delivers packets when their time has come, and noise.
func (c *carrier) deliver() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	quiet := time.Now() // until when the noise is known
	for {
		if now := time.Now(); quiet.Sub(now) < noiseAhead/2 {
			until := now.Add(noiseAhead)
			c.schedule(c.network.Noise(quiet, until))
			quiet = until
		}
		timer.Reset(time.Until(c.deliverUntil(quiet.Add(-noiseAhead / 2))))
		select {
		case <-timer.C:
		case <-c.sooner:
		case <-c.done:
			return
		}
	}
}

// deliverUntil delivers what is due, and returns when there is more to do: at
// the latest time that is given.
func (c *carrier) deliverUntil(latest time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliverDue(time.Now())
	if next, ok := c.waiting.next(); ok && next.Before(latest) {
		return next
	}
	return latest
}

func (c *carrier) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = ended(err)
}

// ended returns err unless it says that the device was closed, as it is in the
// end.
func ended(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
