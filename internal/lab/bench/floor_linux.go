package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/socket"
)

// The floor is the least that asking and hearing the answer can cost: a loop of
// sendmmsg and recvmmsg in one thread, over one socket of the same kind, with the
// fragmentation, the payload and the receive stamps of the library's, that looks
// at nothing. It is written in C and built here; where no compiler is, the same
// loop in Go stands in for it, which a row of the table holds against it.
//
//go:embed floor/floor.c
var floorSource string

const (
	floorBatch   = 64  // packets of a system call
	floorWindow  = 256 // in flight at most: less than what overflows the receive buffer
	floorBuffer  = 1 << 20
	floorPatient = 10 * time.Second // with the last answers
)

// errFloorLoses says that the figure would be too low.
var errFloorLoses = errors.New("the floor has lost packets: measure on a machine that is less busy")

// buildFloor compiles the loop. It returns "" where no compiler is.
func buildFloor(dir string) (string, error) {
	for _, compiler := range []string{"cc", "gcc", "clang"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			continue
		}
		binary := filepath.Join(dir, "floor")
		cmd := exec.Command(path, "-O2", "-x", "c", "-o", binary, "-")
		cmd.Stdin = strings.NewReader(floorSource)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", compiler, err, out)
		}
		return binary, nil
	}
	return "", nil
}

// floor pings n addresses once each, in a process of its own.
func (b *bench) floor(k kind, n int) error {
	path, err := b.programs.floor()
	if err != nil {
		return err
	}
	if path == "" {
		return goFloor(k, n)
	}
	fragment, err := fragmentation(k)
	if err != nil {
		return err
	}
	return execute(path, k.digit(), strconv.Itoa(bit(k.raw)), strconv.Itoa(fragment), k.addr(0).String(), strconv.Itoa(n))
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// fragmentation returns what the library's sockets have as IP_MTU_DISCOVER.
func fragmentation(k kind) (value int, err error) {
	cfg := &socket.Config{Mode: k.mode()}
	var s interface {
		SyscallConn() (syscall.RawConn, error)
		Close() error
	}
	if s, err = socket.ListenICMPv4(cfg); k.ipv6 {
		s, err = socket.ListenICMPv6(cfg)
	}
	if err != nil {
		return 0, err
	}
	defer s.Close()
	conn, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	level, option := syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER
	if k.ipv6 {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_MTU_DISCOVER
	}
	controlErr := conn.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, option) })
	return value, errors.Join(err, controlErr)
}

// goFloor has the loop in Go run in a process of its own.
func goFloor(k kind, n int) error {
	fragment, err := fragmentation(k)
	if err != nil {
		return err
	}
	return again("floor", k.digit(), strconv.Itoa(bit(k.raw)), strconv.Itoa(fragment), k.addr(0).String(), strconv.Itoa(n)).Run()
}

// goFloorChild is that process: it takes what the program in C takes.
func goFloorChild(args []string) error {
	if len(args) != 5 {
		return errors.New("the floor takes FAMILY RAW FRAGMENT FIRST COUNT")
	}
	k := kind{ipv6: args[0] == "6", raw: args[1] == "1"}
	fragment, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	first, err := netip.ParseAddr(args[3])
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	sock, err := openFloor(k, fragment)
	if err != nil {
		return err
	}
	defer sock.Close()
	return runFloor(sock, k, first, count)
}

// openFloor opens the socket with the options of the program in C.
func openFloor(k kind, fragment int) (sys.Bare, error) {
	sock, err := sys.OpenBareICMP(k.ipv6, k.raw)
	if err != nil {
		return sock, err
	}
	pass, reply := sock.PassTypes4, icmp.V4EchoReply
	level, option := syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER
	if k.ipv6 {
		pass, reply = sock.PassTypes6, icmp.V6EchoReply
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_MTU_DISCOVER
	}
	err = errors.Join(sock.SetReceiveBuffer(floorBuffer), sock.StampArrivals(), sock.Control(func(fd int) error {
		return syscall.SetsockoptInt(fd, level, option, fragment)
	}))
	if k.raw {
		err = errors.Join(err, pass(reply.Number()))
	}
	if err != nil {
		return sock, errors.Join(err, sock.Close())
	}
	return sock, nil
}

// runFloor pings count addresses from the first on.
func runFloor(sock sys.Bare, k kind, first netip.Addr, count int) error {
	data, err := (&icmp.Request{Destination: first, ID: 0xf100}).Append(nil)
	if err != nil {
		return err
	}
	sender, receiver := sys.NewSender(floorBatch), sys.NewReceiver(floorBatch)
	next := first
	batch := make([]netip.Addr, 0, floorBatch) // that the kernel has not taken
	for sent, received := 0, 0; received < count; {
		for len(batch) < floorBatch && sent+len(batch) < count {
			batch = append(batch, next)
			next = next.Next()
		}
		for i, addr := range batch {
			sender.Set(i, &sys.Outbound{Data: data, To: addr, TTL: -1, TrafficClass: -1})
		}
		n := 0
		if room := min(len(batch), floorWindow-(sent-received)); room > 0 {
			if n, err = sock.Send(sender, room); err != nil {
				return err
			}
		}
		sent, batch = sent+n, slices.Delete(batch, 0, n)
		m, err := sock.Receive(receiver)
		if err != nil {
			return err
		}
		received += m
		if n == 0 && m == 0 && !sock.Wait(floorPatient) {
			return errFloorLoses
		}
	}
	return nil
}

// execute runs a program of ours, whose errors are shown.
func execute(path string, args ...string) error {
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
