package netlab

import (
	"fmt"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Device is the interface through which a simulated network is reached. The
// zero value means all defaults.
type Device struct {
	// Name is the interface's name. The default is "sim0".
	Name string

	// Kind is how packets leave the kernel. The default is TUN where it is
	// allowed, else Veth.
	Kind DeviceKind

	// MTU is the largest packet that the kernel sends unfragmented. The default
	// is 65,535 bytes, so that what is too big is for the network to say.
	MTU int

	// Passed, if not nil, is called with each packet that the kernel was given, when it
	// was due, and the times before and after the call.
	Passed func(packet []byte, due, before, after time.Time)
}

// DeviceKind is how packets leave the kernel and come back.
type DeviceKind uint8

const (
	// AnyDevice is TUN where it is allowed, else Veth.
	AnyDevice DeviceKind = iota
	// TUN is an interface whose other end is a file, /dev/net/tun.
	TUN
	// Veth is a pair of Ethernet interfaces, with a packet socket at the other
	// end. It needs no file, and so works in user namespaces.
	Veth
)

// String returns the name of the kind.
func (k DeviceKind) String() string {
	switch k {
	case AnyDevice:
		return "any device"
	case TUN:
		return "TUN"
	case Veth:
		return "veth"
	}
	return fmt.Sprintf("DeviceKind(%d)", uint8(k))
}

const (
	defaultDevice = "sim0"
	maxPacket     = 65535 // of IPv4, and of IPv6 without jumbograms
)

func (d Device) withDefaults() Device {
	if d.Name == "" {
		d.Name = defaultDevice
	}
	if d.MTU == 0 {
		d.MTU = maxPacket
	}
	return d
}

// Carry puts a simulated network behind the kernel: it makes an interface that
// has the addresses of the network's client and the default routes of their
// families, gives the network each packet that the kernel sends there from one
// of these addresses, and the kernel what the network answers, never before its
// time. Several networks in one namespace have devices of different names; the
// first one has what is not sent through a particular device.
//
// It belongs into [Config.Setup], or into the function of a test that keeps its
// privileges. The network is at work until the test has ended. A network that
// is to answer much should be Quiet.
//
// Where the system forbids the device, Carry skips the test.
func Carry(t testing.TB, network *netsim.Network, device Device) {
	t.Helper()
	carry(t, network, device.withDefaults())
}
