package main

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

const (
	floorBatch  = 16  // what the engine sends at once
	floorWindow = 256 // in flight at most: less than what overflows the receive buffer
)

// floor is the least that asking and hearing the answer can cost: a bare loop
// of sendmmsg and recvmmsg over the same kind of socket, with the same options,
// that looks at nothing.
type floor struct {
	sock     *sys.Socket
	sender   *sys.Sender
	receiver *sys.Receiver
	data     []byte
}

// newFloor opens the socket; stamps says whether the kernel is to note when a
// packet arrives.
func newFloor(k kind, stamps bool) (*floor, error) {
	s, err := sys.OpenICMP(k.ipv6, k.raw)
	if err != nil {
		return nil, err
	}
	f := &floor{sock: s, sender: sys.NewSender(floorBatch), receiver: sys.NewReceiver(64)}
	if err := f.configure(k, stamps); err != nil {
		_ = s.Close()
		return nil, err
	}
	req := icmp.Request{Destination: k.addr(0), ID: 0xf100}
	f.data, err = req.Append(nil)
	return f, err
}

func (f *floor) configure(k kind, stamps bool) error {
	if k.raw {
		pass, reply := f.sock.PassTypes4, icmp.V4EchoReply
		if k.ipv6 {
			pass, reply = f.sock.PassTypes6, icmp.V6EchoReply
		}
		if err := pass(reply.Number()); err != nil {
			return err
		}
	}
	if err := f.sock.SetReceiveBuffer(1 << 20); err != nil {
		return err
	}
	describe := func() error { return f.sock.Describe4(icmp.DefaultTTL, k.raw) }
	if k.ipv6 {
		describe = func() error { return f.sock.Describe6(icmp.DefaultTTL) }
	}
	if err := describe(); err != nil || stamps {
		return err
	}
	var off error
	err := f.sock.SyscallConn().Control(func(fd uintptr) {
		off = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 0)
	})
	return errors.Join(err, off)
}

// run pings each of the addresses once.
func (f *floor) run(addrs []netip.Addr) error {
	if err := f.sock.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	for sent, received := 0, 0; received < len(addrs); {
		for sent < len(addrs) && sent-received < floorWindow {
			n, err := f.send(addrs[sent:])
			sent += n
			if err != nil {
				return err
			}
		}
		n, err := f.receive()
		received += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.New("the floor has lost packets")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) send(addrs []netip.Addr) (int, error) {
	n := min(len(addrs), floorBatch)
	for i, addr := range addrs[:n] {
		f.sender.Set(i, &sys.Outbound{Data: f.data, To: addr, TTL: -1, TrafficClass: -1})
	}
	return f.sock.Send(f.sender, 0, n)
}

func (f *floor) receive() (received int, err error) {
	waitErr := f.sock.Wait(func(uintptr) bool {
		received, _, err = f.sock.Receive(f.receiver, 0, f.receiver.Len(), false)
		return received > 0 || err != nil
	})
	return received, errors.Join(err, waitErr)
}

// floorOnce opens a floor, runs it and closes it: a raw socket that stays open
// would be given a copy of what the others receive.
func floorOnce(k kind, stamps bool, addrs []netip.Addr) error {
	f, err := newFloor(k, stamps)
	if err != nil {
		return err
	}
	defer f.sock.Close()
	return f.run(addrs)
}
