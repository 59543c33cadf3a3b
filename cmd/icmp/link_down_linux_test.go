package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// cutter is a standard output that has the link go down and up when so many results of
// a kind were printed.
type cutter struct {
	t       *testing.T
	text    bytes.Buffer
	replied string // what a line of a reply has
	refused string // and one of a packet that was not sent
}

func (c *cutter) Write(b []byte) (int, error) {
	c.text.Write(b)
	replies, refusals := strings.Count(c.text.String(), c.replied), strings.Count(c.text.String(), c.refused)
	var err error
	switch {
	case replies == 15 && refusals == 0:
		err = netlab.LinkDown("mon0")
	case replies == 15 && refusals == 20:
		err = netlab.LinkUp("mon0")
	}
	if err != nil {
		c.t.Error(err)
	}
	return len(b), nil
}

// A link that is down for 40 % of a run has lost 40 %, and each form of output says so. Where
// the first ARP request is lost, the kernel repeats it after a second: the timeout is longer.
func TestALinkThatIsDownLosesWhatItWasToCarry(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) {
		other := netlab.NewNamespace(t)
		err := errors.Join(netlab.AddVeth("mon0", "mon1"), other.Take("mon1"),
			other.Do(func() error {
				return errors.Join(netlab.AddAddress("mon1", netip.MustParsePrefix("10.77.0.2/24")), netlab.LinkUp("mon1"))
			}),
			netlab.AddAddress("mon0", netip.MustParsePrefix("10.77.0.1/24")), netlab.LinkUp("mon0"))
		if err != nil {
			t.Fatal(err)
		}
		// What is lost while a new link comes up is no part of this.
		for runLine(t.Context(), "ping", "-c", "1", "-W", "200ms", "10.77.0.2").code != exitAlive {
			if t.Context().Err() != nil {
				t.Fatal("the link does not come up")
			}
		}
		ping := func(replied, refused string, flags ...string) string {
			t.Helper()
			out, stderr := &cutter{t: t, replied: replied, refused: refused}, &strings.Builder{}
			line := append([]string{"ping", "-n", "-c", "50", "-i", "5ms", "-W", "10s"}, append(flags, "10.77.0.2")...)
			if code := run(t.Context(), line, strings.NewReader(""), out, stderr); code != exitAlive {
				t.Errorf("%v: the exit code is %d: %s", line, code, stderr)
			}
			return out.text.String()
		}
		text := ping("bytes from", "network is unreachable")
		if want := "30 packets transmitted, 30 received, 40% packet loss, +20 not sent"; !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
		last := ping(`"status":"reply"`, `"status":"no-route-network"`, "--json", "-v")
		var host struct {
			PacketsSent     int     `json:"packets_sent"`
			PacketsReceived int     `json:"packets_received"`
			SendErrors      int     `json:"send_errors"`
			PacketLoss      float64 `json:"packet_loss"`
		}
		lines := strings.Split(strings.TrimSpace(last), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &host); err != nil {
			t.Fatal(err)
		}
		if host.PacketsSent != 30 || host.PacketsReceived != 30 || host.SendErrors != 20 || host.PacketLoss != 0.4 {
			t.Errorf("JSON: %+v", host)
		}
		// CSV comes at the end only: the link is down all the time.
		if err := netlab.LinkDown("mon0"); err != nil {
			t.Fatal(err)
		}
		got := runLine(t.Context(), "multiping", "--csv", "-c", "5", "-p", "5ms", "10.77.0.2")
		got.check(t, exitDead)
		checkColumns(t, csvColumns(t, got.stdout)[0], map[string]string{"packets_sent": "0", "send_errors": "5", "packet_loss": "1", "is_alive": "false"})
	})
}
