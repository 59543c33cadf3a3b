package socket_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/socket"
)

// TestMain omits the examples whose sockets this user or this machine does not have,
// because an example cannot skip itself.
func TestMain(m *testing.M) {
	flag.Parse()
	var skip []string
	if s, err := socket.ListenICMPv4(nil); err == nil {
		s.Close()
	} else {
		fmt.Fprintln(os.Stderr, "the examples over IPv4 are left out:", err)
		skip = append(skip, "^Example.*v4")
	}
	if s, err := socket.ListenICMPv6(nil); err == nil {
		s.Close()
	} else {
		fmt.Fprintln(os.Stderr, "the examples over IPv6 are left out:", err)
		skip = append(skip, "^Example.*v6")
	}
	if runtime.GOOS != "linux" {
		skip = append(skip, "^Example.*_(ReceiveNow|Watch|SetReceiveBuffer)$")
	}
	if len(skip) > 0 {
		if err := flag.Set("test.skip", strings.Join(skip, "|")); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
