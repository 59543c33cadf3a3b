package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/internal/engine"
)

// findLocal returns the largest packet that can be tried. It asks the system by
// giving it packets, for that knows the interface that they would leave by; they
// have a TTL of 1, and what is answered to them is of no interest.
func (r *mtuRun) findLocal(ctx context.Context) (int, error) {
	fits, err := r.isSent(ctx, r.opts.MaxMTU)
	if fits || err != nil {
		return r.opts.MaxMTU, err
	}
	low, high := r.least, r.opts.MaxMTU
	for guess := r.interfaceMTU(); high-low > 1; {
		size := low + (high-low)/2
		switch {
		case guess > low && guess < high:
			size = guess
		case guess == low && guess != r.least:
			size = guess + 1
			guess = 0
		}
		fits, err := r.isSent(ctx, size)
		if err != nil {
			return 0, err
		}
		if fits {
			low = size
		} else {
			high = size
		}
	}
	r.result.LocalMTU = low
	return low, nil
}

// isSent tells whether the system sends a packet of a size in one piece.
func (r *mtuRun) isSent(ctx context.Context, size int) (bool, error) {
	if err := r.p.pacer.Wait(ctx, 1); err != nil {
		return false, err
	}
	packet := r.packet(mtuProbe{size, 1})
	op := r.p.newOp(&packet, r.opts.Timeout, r.dst)
	defer op.Close()
	_, err := r.pool.Send(ctx, op, []engine.Probe{packet.probe(r.dst, 0, 1)})
	switch {
	case errors.Is(err, syscall.EMSGSIZE):
		return false, nil
	case wasStopped(ctx, err):
		return false, err
	}
	return true, nil // another refusal is found by those who need an answer
}

// interfaceMTU guesses the MTU of the interface that leads to the target; 0
// where that is not to be seen.
func (r *mtuRun) interfaceMTU() int {
	key, err := r.opts.Packet.key(&r.p.cfg, r.dst)
	if err != nil || r.p.other != nil {
		return 0
	}
	if key.device != "" {
		if i, err := net.InterfaceByName(key.device); err == nil {
			return i.MTU
		}
		return 0
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.dst, 9))) // it sends nothing
	if err != nil {
		return 0
	}
	defer c.Close()
	local, _ := c.LocalAddr().(*net.UDPAddr)
	interfaces, err := net.Interfaces()
	if err != nil || local == nil {
		return 0
	}
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(local.IP) {
				return i.MTU
			}
		}
	}
	return 0
}
