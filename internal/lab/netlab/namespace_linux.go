package netlab

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Namespace is a further network namespace, beside the one of the test: the
// kernel's network stack once more, as another host has it. It ends with the
// test.
type Namespace struct {
	file  *os.File
	calls chan func()
}

// NewNamespace makes a namespace with its loopback interface up. It skips the
// test where the system forbids that.
func NewNamespace(t testing.TB) *Namespace {
	t.Helper()
	n := &Namespace{calls: make(chan func())}
	ready := make(chan error)
	go n.serve(ready)
	if err := <-ready; err != nil {
		t.Skipf("the system forbids a further network namespace: %v", err)
	}
	t.Cleanup(func() {
		close(n.calls)
		n.file.Close()
	})
	if err := n.Do(func() error { return LinkUp("lo") }); err != nil {
		t.Fatal(err)
	}
	return n
}

// serve runs what it is given on a thread that is in the namespace. A namespace
// belongs to a thread: this one is never unlocked, and ends with the goroutine.
func (n *Namespace) serve(ready chan<- error) {
	runtime.LockOSThread()
	err := os.NewSyscallError("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	if err == nil {
		n.file, err = os.Open("/proc/thread-self/ns/net")
	}
	ready <- err
	for call := range n.calls {
		call()
	}
}

// Do runs f in the namespace: what it opens, and what it reads below
// /proc/sys/net, belongs there. Goroutines that f starts do not.
func (n *Namespace) Do(f func() error) error {
	result := make(chan error)
	n.calls <- func() {
		err := errors.New("the function has left its goroutine")
		defer func() { result <- err }()
		err = f()
	}
	return <-result
}
