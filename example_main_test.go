package icmplib_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/goicmp/icmplib"
)

// TestMain leaves the examples out where this user may not ping at all, for an
// example cannot skip itself.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := mayPing(); err != nil {
		fmt.Fprintln(os.Stderr, "the examples are left out:", err)
		if err := flag.Set("test.skip", "^Example"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func mayPing() error {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		return err
	}
	defer prober.Close()
	capabilities := prober.Capabilities()
	return capabilities.Can(icmplib.ICMP, icmplib.IPv4)
}
