package sys

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Poller is an epoll instance that watches any number of sockets, and that Go's poller
// watches: one goroutine waits for all of them.
//
// A socket is never in Go's poller itself. Go's poller treats an event of exactly EPOLLERR
// as a descriptor that cannot be polled, and an entry in the error queue causes such an
// event while the send buffer is full. An epoll instance can only become readable, so this
// cannot happen.
type Poller struct {
	ready    *os.File // the epoll instance
	readyRaw syscall.RawConn

	mu     sync.RWMutex // held for reading while epfd is in use, for writing to close it
	epfd   int          // the epoll instance, or the one that it watches
	nested bool
	closed bool
}

// Events holds the sockets that a Poller found ready.
type Events [64]unix.EpollEvent

// Key returns the key under which the i-th ready socket was added.
func (e *Events) Key(i int) uint64 { return uint64(uint32(e[i].Fd)) | uint64(uint32(e[i].Pad))<<32 }

// Failed reports whether the i-th ready socket has an error, or an entry in its error queue.
func (e *Events) Failed(i int) bool { return e[i].Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 }

// NewPoller returns a Poller without sockets.
func NewPoller() (*Poller, error) {
	epfd, err := newEpoll()
	if err != nil {
		return nil, err
	}
	return pollerOf(epfd, epfd)
}

// NewHushablePoller is NewPoller for a Poller that supports [Poller.Watch]: an epoll
// instance that watches another one, which watches the sockets.
func NewHushablePoller() (*Poller, error) {
	inner, err := newEpoll()
	if err != nil {
		return nil, err
	}
	outer, err := newEpoll()
	if err != nil {
		_ = unix.Close(inner)
		return nil, err
	}
	p, err := pollerOf(outer, inner)
	if err != nil {
		_ = unix.Close(inner)
		return nil, err
	}
	p.nested = true
	if err := p.Watch(true); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

func newEpoll() (int, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, os.NewSyscallError("epoll_create1", err)
	}
	return epfd, nil
}

// pollerOf makes Go's poller watch the epoll instance ready.
func pollerOf(ready, epfd int) (*Poller, error) {
	// os.NewFile puts only a non-blocking descriptor into the poller.
	if err := unix.SetNonblock(ready, true); err != nil {
		_ = unix.Close(ready)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &Poller{epfd: epfd, ready: os.NewFile(uintptr(ready), "icmp")}
	var err error
	if p.readyRaw, err = p.ready.SyscallConn(); err != nil {
		_ = p.ready.Close()
		return nil, err
	}
	return p, nil
}

// Watch sets whether ready sockets wake the waiting goroutine, as they do by default. Each
// call must change the setting.
func (p *Poller) Watch(on bool) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return net.ErrClosed
	}
	op, event := unix.EPOLL_CTL_DEL, unix.EpollEvent{Events: unix.EPOLLIN}
	if on {
		op = unix.EPOLL_CTL_ADD
	}
	var errno error
	err := p.readyRaw.Control(func(outer uintptr) { errno = unix.EpollCtl(int(outer), op, p.epfd, &event) })
	return errors.Join(err, os.NewSyscallError("epoll_ctl", errno))
}

// add watches fd for events and, always, for errors. Closing fd ends that.
func (p *Poller) add(fd int, events uint32, key uint64) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return net.ErrClosed
	}
	event := unix.EpollEvent{Events: events, Fd: int32(uint32(key)), Pad: int32(uint32(key >> 32))}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &event))
}

// remove stops watching fd.
func (p *Poller) remove(fd int) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return net.ErrClosed
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil))
}

// Ready stores the sockets that are ready now in events, and returns how many. It does not
// wait. If there are fewer than len(Events), there are no more.
func (p *Poller) Ready(events *Events) (int, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return 0, net.ErrClosed
	}
	for {
		n, err := unix.EpollWait(p.epfd, events[:], 0)
		if err != unix.EINTR {
			return max(n, 0), os.NewSyscallError("epoll_wait", err)
		}
	}
}

// Wait calls read each time that a socket may have become ready, until read returns true;
// read must not keep its argument. Before read returns false, it must have found every
// socket empty. Wait returns net.ErrClosed when the Poller is closed, and
// os.ErrDeadlineExceeded at the read deadline.
func (p *Poller) Wait(read func(uintptr) bool) error {
	return wakeError(p.readyRaw.Read(read))
}

// wakeError maps the poller's errors to those that packages os and net export.
func wakeError(err error) error {
	switch {
	case err == nil, os.IsTimeout(err):
		return err
	default: // "use of closed file"
		return net.ErrClosed
	}
}

// SetReadDeadline sets the deadline of Wait, also for a call that is already waiting.
func (p *Poller) SetReadDeadline(t time.Time) error {
	return wakeError(p.ready.SetReadDeadline(t))
}

// Close wakes the waiting goroutine. The sockets stay open. Later calls do nothing and return
// net.ErrClosed.
func (p *Poller) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	// Not under the lock: it waits for a Wait whose read may be about to call
	// Ready, which takes the lock.
	err := wakeError(p.ready.Close())
	if err == nil && p.nested {
		p.mu.Lock()
		defer p.mu.Unlock()
		return os.NewSyscallError("close", unix.Close(p.epfd))
	}
	return err
}

// Timer makes a Poller ready at a set time.
type Timer struct{ sock Socket }

// NewTimer returns a timer that p watches under a key.
func (p *Poller) NewTimer(key uint64) (*Timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	if err := p.add(fd, unix.EPOLLIN, key); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Timer{Socket{fd: fd}}, nil
}

// Set makes the timer ready after d; 0 stops it.
func (t *Timer) Set(d time.Duration) error {
	return t.sock.Control(func(fd int) error {
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(fd, 0, &spec, nil))
	})
}

// Close closes the timer.
func (t *Timer) Close() error { return t.sock.Close() }
