package sys

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Timer makes a Poller ready at a time.
type Timer struct{ sock Socket }

// NewTimer makes a timer that p watches, under a key.
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

// Set has the timer be ready after d, above 0, or with 0 no more.
func (t *Timer) Set(d time.Duration) error {
	return t.sock.Control(func(fd int) error {
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(fd, 0, &spec, nil))
	})
}

// Close closes the timer.
func (t *Timer) Close() error { return t.sock.Close() }
