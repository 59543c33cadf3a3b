package netlab

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long the kernel may take for what it does in the background.
const patience = 10 * time.Second

// awaitAddress waits until packets for an address that was added are taken: to
// IPv6 addresses the kernel adds the route that makes them its own later.
func awaitAddress(a netip.Addr) error {
	if a.Is4() {
		return nil
	}
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Millisecond) {
		routes, err := os.ReadFile("/proc/thread-self/net/ipv6_route")
		if err != nil {
			return err
		}
		if isLocal(string(routes), a) {
			return nil
		}
	}
	return fmt.Errorf("%v is still no address of this host after %v", a, patience)
}

// isLocal looks for a local route to an address in a table whose columns are
// destination, its length, source, its length, next hop, metric, references,
// uses, flags and interface.
func isLocal(table string, a netip.Addr) bool {
	const local = 0x80000000 // RTF_LOCAL of linux/ipv6_route.h
	want := hex.EncodeToString(a.AsSlice())
	for line := range strings.Lines(table) {
		columns := strings.Fields(line)
		if len(columns) < 10 || columns[0] != want || columns[1] != "80" {
			continue
		}
		if flags, err := strconv.ParseUint(columns[8], 16, 64); err == nil && flags&local != 0 {
			return true
		}
	}
	return false
}

// awaitHost waits until packets reach a host and come back, and its kernel
// refuses a connection: new links may lose what comes first, and then TCP tries
// again.
func awaitHost(a netip.Addr) error {
	const discard = 9 // a port where nobody listens
	conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(a, discard).String(), patience)
	if err == nil {
		return conn.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return err
}
