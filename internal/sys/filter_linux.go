package sys

import (
	"encoding/binary"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Options of raw ICMP sockets (linux/icmp.h, linux/icmpv6.h).
const (
	icmpFilter   = 1 // ICMP_FILTER, at level SOL_RAW
	icmpv6Filter = 1 // ICMPV6_FILTER, at level SOL_ICMPV6
)

// PassTypes4 makes a raw ICMPv4 socket receive only the given types. The kernel filters
// only the first 32 types; higher ones always pass.
func (s *Socket) PassTypes4(types ...uint8) error {
	block := ^uint32(0)
	for _, t := range types {
		if t < 32 {
			block &^= 1 << t
		}
	}
	return s.setAll([]option{{"ICMP_FILTER", unix.SOL_RAW, icmpFilter, int(block), true}})
}

// PassTypes6 makes a raw ICMPv6 socket receive only the given types.
func (s *Socket) PassTypes6(types ...uint8) error {
	var block [8]uint32 // RFC 3542 section 3.2; here a set bit blocks
	for i := range block {
		block[i] = ^uint32(0)
	}
	for _, t := range types {
		block[t/32] &^= 1 << (t % 32)
	}
	var value [32]byte
	for i, word := range block {
		binary.NativeEndian.PutUint32(value[4*i:], word)
	}
	return s.Control(func(fd int) error {
		err := unix.SetsockoptString(fd, unix.SOL_ICMPV6, icmpv6Filter, string(value[:]))
		if IsUnknownOption(err) {
			return nil
		}
		return os.NewSyscallError("setsockopt ICMPV6_FILTER", err)
	})
}

// AttachFilter makes the kernel drop the packets that program does not accept. A system
// without filters delivers more packets, as does every system before the filter is attached:
// readers must ignore packets that are not theirs.
func (s *Socket) AttachFilter(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return s.Control(func(fd int) error {
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
		if IsUnknownOption(err) {
			return nil
		}
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	})
}
