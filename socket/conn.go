package socket

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// conn is what ICMPv4 and ICMPv6 have in common: all but their doc comments and
// the few options that only one of them has.
type conn struct {
	version icmp.Version
	mode    Mode
	id      uint16
	local   netip.Addr
	link    *link // the system's side: one file per system
	zones   netio.Zones

	broadcast atomic.Bool

	sendMu sync.Mutex
	buf    []byte // encoded messages of a batch, one behind the other
	ends   []int  // where each of them ends in buf
	out    []sys.Outbound

	receiving netio.ContextMutex
	in        sys.Inbound
	single    [1]icmp.Reply

	deadline netio.Deadline

	malformed, foreign atomic.Uint64
}

// Counters counts what a socket did not hand out.
type Counters struct {
	Dropped   uint64 // had no room in the kernel's receive buffer: losses of our own making; 0 where the system does not say
	Malformed uint64 // were no well-formed ICMP messages
	Foreign   uint64 // belonged to another id, and passed the kernel's filter
}

// listen opens a socket in the configured mode; in Auto, in the first that works.
func listen(v icmp.Version, cfg *Config) (*conn, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	ifi, err := cfg.validate(v)
	if err != nil {
		return nil, err
	}
	if cfg.Mode != Auto {
		return listenMode(v, cfg.Mode, cfg, ifi)
	}
	c, datagramErr := listenMode(v, Datagram, cfg, ifi)
	if datagramErr == nil {
		return c, nil
	}
	c, rawErr := listenMode(v, Raw, cfg, ifi)
	if rawErr == nil {
		return c, nil
	}
	return nil, joinListenErrors(datagramErr, rawErr)
}

// joinListenErrors reports why neither mode works. What both modes failed for,
// such as an address that is not ours, is said once.
func joinListenErrors(datagram, raw error) error {
	if errors.Is(raw, os.ErrPermission) && !errors.Is(datagram, os.ErrPermission) {
		return datagram // what is wrong is not the permission
	}
	var d, r *OpError
	if errors.As(datagram, &d) && errors.As(raw, &r) && d.Err.Error() == r.Err.Error() {
		return &OpError{Op: d.Op, Mode: Auto, Addr: d.Addr, V: d.V, Err: d.Err}
	}
	return errors.Join(datagram, raw)
}

func listenMode(v icmp.Version, mode Mode, cfg *Config, ifi *net.Interface) (*conn, error) {
	c := &conn{version: v, mode: mode, local: cfg.Source, receiving: netio.NewContextMutex()}
	if err := c.open(cfg, ifi); err != nil {
		return nil, &OpError{Op: opListen, Mode: mode, Addr: cfg.Source, V: v, Err: explainListen(mode, cfg, err)}
	}
	return c, nil
}

// open opens the link and settles the id.
func (c *conn) open(cfg *Config, ifi *net.Interface) (err error) {
	zone, err := c.zones.Index(cfg.Source.Zone())
	if err != nil {
		return err
	}
	if c.keepsID() {
		if c.id, err = reserveID(c.version, cfg.ID); err != nil {
			return err
		}
	}
	c.link, err = openLink(linkConfig{Config: cfg, version: c.version, mode: c.mode, id: c.id, ifi: ifi, zone: zone})
	if err != nil {
		c.releaseID()
		return err
	}
	c.deadline.Apply = c.link.setReadDeadline
	if c.id == 0 {
		c.id = c.link.id
	}
	return nil
}

// keepsID tells whether it is on this process to keep the id its own.
func (c *conn) keepsID() bool { return c.mode == Raw || !kernelKeepsID }

func (c *conn) releaseID() {
	if c.keepsID() {
		releaseID(c.version, c.id)
	}
}

func (c *conn) close() error {
	err := c.link.close()
	if err == nil {
		c.releaseID()
	}
	return err
}

func (c *conn) counters() Counters {
	return Counters{Dropped: c.link.drops(), Malformed: c.malformed.Load(), Foreign: c.foreign.Load()}
}

func (c *conn) localAddr() netip.Addr {
	if c.local.IsValid() {
		return c.local
	}
	return c.version.Unspecified()
}

func (c *conn) opError(op string, addr netip.Addr, err error) error {
	return &OpError{Op: op, Mode: c.mode, Addr: addr, V: c.version, Err: err}
}

// IsBusy reports whether a send failed because the kernel had no room for the
// packet at that moment, or no descriptor for a probe that is a socket of its own:
// it is worth trying again a little later, and no packet was lost.
func IsBusy(err error) bool {
	for _, busy := range [...]syscall.Errno{syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, busy) {
			return true
		}
	}
	return false
}
