package netlab

import (
	"io"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Start is [Carry] for a program that is no test, by a TUN device. The network
// is at work until it is closed.
func Start(network *netsim.Network, device Device) (io.Closer, error) {
	device = device.withDefaults()
	port, err := openTUN(device.Name)
	if err != nil {
		return nil, err
	}
	c, err := newCarrier(network, port, device)
	if err != nil {
		return nil, err
	}
	return closer(c.close), nil
}

type closer func() error

func (c closer) Close() error { return c() }
