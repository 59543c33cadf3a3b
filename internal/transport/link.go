package transport

import (
	"github.com/goicmp/icmplib/internal/netio"
	"time"
)

// link is the system's side of a Conn: one implementation for each mode and
// kind of protocol.
type link interface {
	// send sends as many probes as it takes at once. It returns how many the
	// kernel took and why it did not take the next one, if that is known yet.
	send(probes []Probe) (int, error)

	// receive waits for up to limit arrivals, and arrival decodes the i-th.
	receive(limit int) (int, error)
	arrival(i int, a *Arrival) verdict

	setReadDeadline(t time.Time) error
	drained() time.Time
	drops() uint64
	backlog() float64
	ports() (first uint16, n int)
	close() error
}

// verdict says what to do with an arrival.
type verdict uint8

const (
	keep verdict = iota
	ignore
	malformed
	foreign
)

// linkConfig is a complete Config with what was derived from it.
type linkConfig struct {
	Config
	zone  uint32 // of Source
	zones *netio.Zones

	labels error // why no flow label can be sent; nil where it can
}

// maxBatch is how many packets one system call takes.
const maxBatch = 64
