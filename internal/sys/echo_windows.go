package sys

import (
	"context"
	"net"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	iphlpapi = windows.NewLazySystemDLL("iphlpapi.dll")
	kernel32 = windows.NewLazySystemDLL("kernel32.dll")
	ntdll    = windows.NewLazySystemDLL("ntdll.dll")

	procCreateFile    = iphlpapi.NewProc("IcmpCreateFile")
	procCreateFile6   = iphlpapi.NewProc("Icmp6CreateFile")
	procSendEcho      = iphlpapi.NewProc("IcmpSendEcho2Ex")
	procSendEcho6     = iphlpapi.NewProc("Icmp6SendEcho2")
	procParseReplies  = iphlpapi.NewProc("IcmpParseReplies")
	procParseReplies6 = iphlpapi.NewProc("Icmp6ParseReplies")
	procCloseHandle   = iphlpapi.NewProc("IcmpCloseHandle")
	procWait          = kernel32.NewProc("WaitForSingleObjectEx")
	procCounter       = kernel32.NewProc("QueryPerformanceCounter")
	procFrequency     = kernel32.NewProc("QueryPerformanceFrequency")
	procWineVersion   = ntdll.NewProc("wine_get_version")
)

// EchoCall is one call of the IP Helper API. The system writes into Buffer until the call
// has completed, so the caller must not use Buffer and the EchoCall before then.
type EchoCall struct {
	To4, Source4 uint32   // of IPv4: IPAddr
	To6, Source6 [28]byte // of IPv6: sockaddr_in6
	Options      [16]byte // IP_OPTION_INFORMATION
	Payload      []byte
	Buffer       []byte // for the reply
	Timeout      time.Duration

	// Completed is called on the thread of the API when the call has completed, but not
	// if the system refused it at once. It must not block.
	Completed func(*EchoCall)

	Elapsed time.Duration // from the call to its completion, by QueryPerformanceCounter
	Refused bool          // the system completed the call without carrying it out
	Code    uint32        // the system's code for a call without a reply; 0: none

	handle *EchoHandle
	pinner runtime.Pinner
	called int64 // ticks of QueryPerformanceCounter
	done   int64
}

// Since returns how long ago the call completed.
func (c *EchoCall) Since() time.Duration { return counterTime(counter() - c.done) }

// EchoHandle is a socket's use of the API for one family.
type EchoHandle struct {
	ipv6 bool
	once sync.Once
}

// echoThread is the only thread of the process that calls the API: the system completes
// a call on the thread that made it, as an asynchronous procedure call (APC), which runs
// when that thread waits. The thread runs while there are handles or pending calls.
//
// All sockets share it, because closing a handle cancels nothing: the buffers of pending
// calls outlive the socket.
var echoThread struct {
	mu      sync.Mutex
	running bool
	users   int
	wake    windows.Handle // an event, made once
	jobs    []*echoJob
	room    chan struct{} // closed when a call completes

	// For the thread only:
	handles map[bool]windows.Handle // by family
	pending map[*EchoCall]struct{}
	reaped  []*EchoCall // calls whose APC has run
}

// echoJob is a job for the thread: to open the API for a family, to make calls, or with
// neither to run the APCs of all completed calls.
type echoJob struct {
	handle *EchoHandle
	open   bool
	calls  []*EchoCall

	made    int       // calls
	drained time.Time // all calls that had completed by then are reaped
	err     error
	done    chan struct{}
}

// maxEchoWine is the largest number of pending calls under Wine, which has room for 256
// calls of all its processes and completes others at once without an error. Windows
// returns an error if it has no room.
const maxEchoWine = 240

var underWine = sync.OnceValue(func() bool { return procWineVersion.Find() == nil })

// OpenEcho opens the API for a family. It needs no privilege.
func OpenEcho(ipv6 bool) (*EchoHandle, error) {
	h := &EchoHandle{ipv6: ipv6}
	if unsafe.Sizeof(uintptr(0)) != 8 {
		return nil, windows.ERROR_NOT_SUPPORTED // the structures here are those of 64-bit systems
	}
	t := &echoThread
	t.mu.Lock()
	if t.wake == 0 {
		wake, err := windows.CreateEvent(nil, 0, 0, nil)
		if err != nil {
			t.mu.Unlock()
			return nil, err
		}
		t.wake, t.room = wake, make(chan struct{})
	}
	t.users++
	if !t.running {
		t.running = true
		go runEchoThread()
	}
	t.mu.Unlock()
	if job := h.do(&echoJob{open: true}); job.err != nil {
		h.Close()
		return nil, job.err
	}
	return h, nil
}

// Close ends the use. Pending calls still complete.
func (h *EchoHandle) Close() {
	h.once.Do(func() {
		echoThread.mu.Lock()
		defer echoThread.mu.Unlock()
		echoThread.users--
		_ = windows.SetEvent(echoThread.wake)
	})
}

// Call makes calls in order. It returns how many the system took and, if not all, the
// error of the next one: windows.WSAENOBUFS if there is no room now.
func (h *EchoHandle) Call(calls []*EchoCall) (int, error) {
	job := h.do(&echoJob{calls: calls})
	return job.made, job.err
}

// Drain returns a time such that Completed has been called for all calls that had
// completed by then.
func (h *EchoHandle) Drain() time.Time { return h.do(&echoJob{}).drained }

// WaitRoom waits until a call completes, or ctx ends.
func (h *EchoHandle) WaitRoom(ctx context.Context) error {
	echoThread.mu.Lock()
	room := echoThread.room
	echoThread.mu.Unlock()
	again := time.NewTimer(10 * time.Millisecond) // others may have taken the room
	defer again.Stop()
	select {
	case <-room:
	case <-again.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// do makes the thread carry out a job. The handle must be open.
func (h *EchoHandle) do(job *echoJob) *echoJob {
	job.handle, job.done = h, make(chan struct{})
	t := &echoThread
	t.mu.Lock()
	if !t.running {
		t.mu.Unlock()
		job.err = net.ErrClosed
		return job
	}
	t.jobs = append(t.jobs, job)
	t.mu.Unlock()
	_ = windows.SetEvent(t.wake)
	<-job.done
	return job
}

// runEchoThread makes and reaps calls. The goroutine ends without unlocking its thread,
// which therefore ends with it.
func runEchoThread() {
	runtime.LockOSThread()
	t := &echoThread
	t.handles, t.pending = map[bool]windows.Handle{}, map[*EchoCall]struct{}{}
	for {
		_, _, _ = procWait.Call(uintptr(t.wake), uintptr(windows.INFINITE), 1)
		reapEchoes()
		t.mu.Lock()
		jobs := t.jobs
		t.jobs = nil
		if len(jobs) == 0 && t.users == 0 && len(t.pending) == 0 {
			t.running = false
			t.mu.Unlock()
			for _, h := range t.handles {
				_, _, _ = procCloseHandle.Call(uintptr(h))
			}
			return
		}
		t.mu.Unlock()
		for _, job := range jobs {
			job.run()
			close(job.done)
		}
	}
}

// reapEchoes runs the APCs of all completed calls. It returns a time such that all calls
// that completed before it are reaped.
func reapEchoes() time.Time {
	t := &echoThread
	for {
		now := time.Now()
		const timedOut = 0
		if windows.SleepEx(0, true) == timedOut && len(t.reaped) == 0 {
			return now
		}
		for _, c := range t.reaped {
			delete(t.pending, c)
			c.finish()
		}
		if len(t.reaped) > 0 {
			t.reaped = t.reaped[:0]
			t.mu.Lock()
			close(t.room)
			t.room = make(chan struct{})
			t.mu.Unlock()
		}
	}
}

func (j *echoJob) run() {
	if j.open {
		j.err = openEchoFamily(j.handle.ipv6)
		return
	}
	for _, c := range j.calls {
		if underWine() && len(echoThread.pending) >= maxEchoWine {
			j.err = windows.WSAENOBUFS
			break
		}
		c.handle = j.handle
		if j.err = c.start(); j.err != nil {
			break
		}
		j.made++
		_ = windows.SleepEx(0, true) // a completion that waits for the whole batch would be late
	}
	j.drained = reapEchoes()
}

// openEchoFamily opens the API for a family, once for all sockets.
func openEchoFamily(ipv6 bool) error {
	if _, ok := echoThread.handles[ipv6]; ok {
		return nil
	}
	create := procCreateFile
	if ipv6 {
		create = procCreateFile6
	}
	if err := create.Find(); err != nil {
		return windows.ERROR_NOT_SUPPORTED
	}
	h, _, err := create.Call()
	if windows.Handle(h) == windows.InvalidHandle {
		return err
	}
	echoThread.handles[ipv6] = windows.Handle(h)
	return nil
}

// echoCompleted is the APC: void (context, IO_STATUS_BLOCK *, reserved). The context is
// the address of the EchoCall, which is reachable because it is pending.
var echoCompleted = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(call *EchoCall, status *uint32, _ uintptr) uintptr {
		call.done = counter()
		call.Refused = status != nil && windows.NTStatus(*status)>>30 == 3 // an NTSTATUS of severity error
		echoThread.reaped = append(echoThread.reaped, call)
		return 0
	})
})

// start makes the call. An error means that the system refused it.
func (c *EchoCall) start() error {
	c.Refused, c.Code = false, 0
	c.pinner.Pin(c)
	c.pinner.Pin(&c.Buffer[0])
	var payload unsafe.Pointer
	if len(c.Payload) > 0 {
		payload = unsafe.Pointer(&c.Payload[0])
		c.pinner.Pin(payload)
	}
	echoThread.pending[c] = struct{}{}
	handle := uintptr(echoThread.handles[c.handle.ipv6])
	timeout := uintptr(max(1, c.Timeout.Milliseconds()))
	c.called = counter()
	var n uintptr
	var err error
	if c.handle.ipv6 {
		n, _, err = procSendEcho6.Call(handle, 0, echoCompleted(), uintptr(unsafe.Pointer(c)),
			uintptr(unsafe.Pointer(&c.Source6)), uintptr(unsafe.Pointer(&c.To6)),
			uintptr(payload), uintptr(len(c.Payload)), uintptr(unsafe.Pointer(&c.Options)),
			uintptr(unsafe.Pointer(&c.Buffer[0])), uintptr(len(c.Buffer)), timeout)
	} else {
		n, _, err = procSendEcho.Call(handle, 0, echoCompleted(), uintptr(unsafe.Pointer(c)),
			uintptr(c.Source4), uintptr(c.To4),
			uintptr(payload), uintptr(len(c.Payload)), uintptr(unsafe.Pointer(&c.Options)),
			uintptr(unsafe.Pointer(&c.Buffer[0])), uintptr(len(c.Buffer)), timeout)
	}
	if n != 0 || err == windows.ERROR_IO_PENDING {
		return nil
	}
	c.pinner.Unpin()
	delete(echoThread.pending, c)
	return err
}

// finish reads the system's result of a call whose APC has run, and makes the system
// convert the reply into the documented form.
func (c *EchoCall) finish() {
	c.Elapsed = counterTime(c.done - c.called)
	parse := procParseReplies
	if c.handle.ipv6 {
		parse = procParseReplies6
	}
	if !c.Refused && parse.Find() == nil {
		n, _, err := parse.Call(uintptr(unsafe.Pointer(&c.Buffer[0])), uintptr(len(c.Buffer)))
		if errno, ok := err.(windows.Errno); ok && n == 0 {
			c.Code = uint32(errno)
		}
	}
	c.pinner.Unpin()
	c.Completed(c)
}

// Base returns the address of the buffer, into which its pointers point.
func (c *EchoCall) Base() uintptr { return uintptr(unsafe.Pointer(&c.Buffer[0])) }

func counter() (ticks int64) {
	_, _, _ = procCounter.Call(uintptr(unsafe.Pointer(&ticks)))
	return ticks
}

var counterFrequency = sync.OnceValue(func() (perSecond int64) {
	_, _, _ = procFrequency.Call(uintptr(unsafe.Pointer(&perSecond)))
	return max(1, perSecond)
})

// counterTime converts ticks, without overflow for calls of any length.
func counterTime(ticks int64) time.Duration {
	f := counterFrequency()
	return time.Duration(ticks/f)*time.Second + time.Duration(ticks%f)*time.Second/time.Duration(f)
}
