package icmplib

import (
	"testing"
	"testing/synctest"
)

// Each file in testdata/ping is a network, a ping in it and its statistics. It
// is run with both kinds of socket, by PingSeq and by Ping, and all agree.
func TestPingInSimulatedNetworks(t *testing.T) {
	for _, s := range loadScenarios(t, "testdata/ping/*.net") {
		for _, kind := range []struct {
			name     string
			datagram bool
		}{{"raw", false}, {"datagram", true}} {
			t.Run(s.name+"/"+kind.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { s.ping(t, kind.datagram) })
			})
		}
	}
}

func (s *scenario) ping(t *testing.T, datagram bool) {
	target, opts := s.command.words[1], s.command.pingOptions(t)
	p := simProber(t, s.network(t), datagram)
	defer p.Close()
	host := &Host{Name: target}
	var results []Result
	for r, err := range p.PingSeq(t.Context(), target, opts) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
		host.Add(r)
	}
	for name, want := range s.want.values {
		if datagram {
			if value, ok := s.want.values[name+"-datagram"]; ok {
				want = value
			}
		}
		if got := figure(host, results, name); got != want && !isVariant(name) {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	checkInvariants(t, &host.Stats)
	if t.Failed() {
		for _, r := range results {
			t.Log(r)
		}
		t.Logf("%+v", p.Counters())
	}
	again := simProber(t, s.network(t), datagram)
	defer again.Close()
	whole, err := again.Ping(t.Context(), target, opts)
	if err != nil {
		t.Fatal(err)
	}
	if booksOf(&whole.Stats) != booksOf(&host.Stats) || !figuresOf(&whole.Stats).equal(figuresOf(&host.Stats)) {
		t.Errorf("Ping says\n%v\nand PingSeq\n%v", whole, host)
	}
}

// isVariant tells a figure's value for datagram sockets from the figure.
func isVariant(name string) bool {
	const suffix = "-datagram"
	return len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix
}
