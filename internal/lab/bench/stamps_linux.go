package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"github.com/goicmp/icmplib"
)

// By how much a round-trip time of a sweep at full speed may differ from what the
// kernel's own stamps of the two packets say, in microseconds.
const (
	stampMedianTarget = 1
	stampP99Target    = 5
	stampHosts        = 1 << 14 // of a turn: the packets wait in one socket until it is over
)

// stamps holds the round-trip times of sweeps at full speed against the kernel's
// stamps: those of the request and of its reply when they come in by the loopback
// interface. The request has left less than a microsecond before.
func (b *bench) stamps() error {
	for _, k := range kinds {
		if k.ipv6 {
			continue // the stamping is the same
		}
		var median, p99 []float64
		for range min(b.rounds, 10) {
			errs, err := stampErrors(k, min(b.hosts, stampHosts))
			if err != nil {
				return fmt.Errorf("%v: %w", k, err)
			}
			median, p99 = append(median, quantile(errs, 0.5)), append(p99, quantile(errs, 0.99))
		}
		b.table.bound(quantile(median, 0.5), stampMedianTarget, "us", "of each turn, the median of them", "%v: RTT at full speed against the kernel's stamps, median error", k)
		b.table.bound(quantile(p99, 0.5), stampP99Target, "us", "the same", "%v: the same, 99th percentile", k)
	}
	return nil
}

// quantile returns the least of the values that so great a part of them does not
// exceed.
func quantile(x []float64, part float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[int(part*float64(len(x)-1))]
}

// stampErrors sweeps so many hosts, and returns by how many microseconds the
// round-trip time of each is wrong.
func stampErrors(k kind, hosts int) ([]float64, error) {
	tap, err := openTap()
	if err != nil {
		return nil, err
	}
	defer tap.close()
	p, err := icmplib.NewProber(&icmplib.Config{Mode: k.mode()})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	rtts := map[netip.Addr]time.Duration{}
	opts := fullSpeed
	for h, err := range p.MultiPingSeq(context.Background(), slices.Values(k.targets(hosts).names), &opts) {
		if err != nil {
			return nil, err
		}
		if h.PacketsReceived == 1 {
			rtts[h.Address] = h.AvgRTT()
		}
	}
	truth, err := tap.roundTrips()
	if err != nil {
		return nil, err
	}
	var errs []float64
	for addr, rtt := range rtts {
		if want, ok := truth[addr]; ok {
			errs = append(errs, float64((rtt-want).Abs().Nanoseconds())/1e3)
		}
	}
	if len(errs) < hosts*9/10 {
		return nil, fmt.Errorf("of %d hosts %d answered and %d were seen", hosts, len(rtts), len(truth))
	}
	return errs, nil
}

// tap sees all that comes in by the loopback interface, with stamps. It is read
// when all is over, so that it takes no time of what is measured.
type tap struct{ fd int }

const tapBuffer = 256 << 20

func openTap() (*tap, error) {
	var order [2]byte
	binary.BigEndian.PutUint16(order[:], syscall.ETH_P_IP)
	protocol := binary.NativeEndian.Uint16(order[:])
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("a socket that sees all packets: %w", err)
	}
	lo, err := net.InterfaceByName("lo")
	if err == nil {
		err = errors.Join(
			syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, tapBuffer),
			syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1),
			syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: protocol, Ifindex: lo.Index}))
	}
	if err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	return &tap{fd}, nil
}

func (t *tap) close() { _ = syscall.Close(t.fd) }

// roundTrips returns the time from the stamp of the request to each address to that
// of its reply.
func (t *tap) roundTrips() (map[netip.Addr]time.Duration, error) {
	departed, found := map[netip.Addr]int64{}, map[netip.Addr]time.Duration{}
	data, control := make([]byte, 128), make([]byte, 128)
	for {
		n, oobn, _, _, err := syscall.Recvmsg(t.fd, data, control, syscall.MSG_DONTWAIT)
		if err == syscall.EAGAIN {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		stamp := stampIn(control[:oobn])
		const header = 20 // what is sent here has no options
		if n < header+1 || stamp == 0 {
			continue
		}
		source, destination := netip.AddrFrom4([4]byte(data[12:16])), netip.AddrFrom4([4]byte(data[16:20]))
		switch data[header] {
		case 8: // echo request
			departed[destination] = stamp
		case 0: // echo reply
			if at, ok := departed[source]; ok {
				found[source] = time.Duration(stamp - at)
			}
		}
	}
}

// stampIn returns the stamp among control messages, 0 if there is none.
func stampIn(control []byte) int64 {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(syscall.Timespec{})) {
			return (*syscall.Timespec)(unsafe.Pointer(&m.Data[0])).Nano()
		}
	}
	return 0
}
