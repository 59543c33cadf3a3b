package netsim_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

var _ engine.Conn = (*netsim.Conn)(nil)

// A network in five lines, and a ping of which every third is lost. Inside a
// bubble this takes no time.
func ExampleNetwork_Listen() {
	n := netsim.MustParse(`
		client 192.0.2.1
		node r 10.0.1.1 delay=5us
		node t 10.0.9.9 delay=10us lose@every/3
		path 10.0.9.0/24 r t
	`)
	c := n.Listen(icmp.V4, netsim.ConnOptions{ID: 7})
	defer c.Close()

	reqs := make([]icmp.Request, 4)
	for i := range reqs {
		reqs[i] = icmp.Request{Destination: netip.MustParseAddr("10.0.9.9"), Sequence: uint16(i)}
	}
	if _, err := c.SendBatch(reqs); err != nil {
		fmt.Println(err)
	}
	replies := make([]icmp.Reply, 1)
	for range 3 {
		if _, err := c.ReceiveBatch(context.Background(), replies); err != nil {
			fmt.Println(err)
		}
		r := &replies[0]
		fmt.Println(r.Source, r.Sequence, r.Time.Sub(reqs[r.Sequence].Time))
	}
	for _, record := range n.Log() {
		if record.Did(netsim.Dropped) {
			fmt.Println("lost:", record.Sequence)
		}
	}
	// Output:
	// 10.0.9.9 0 30µs
	// 10.0.9.9 1 30µs
	// 10.0.9.9 3 30µs
	// lost: 2
}

func TestSeveralSocketsHearTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse("client 192.0.2.1\nnode t 10.0.9.9 delay=1ms\npath 10.0.9.9 t")
		conns := make([]*netsim.Conn, 3)
		for i := range conns {
			conns[i] = n.Listen(icmp.V4, netsim.ConnOptions{Datagram: i == 0})
			defer conns[i].Close()
		}
		for i, c := range conns {
			req := []icmp.Request{{Destination: netip.MustParseAddr("10.0.9.9"), Sequence: uint16(i)}}
			if _, err := c.SendBatch(req); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i, c := range conns {
			replies := make([]icmp.Reply, 10)
			got, err := c.ReceiveBatch(t.Context(), replies)
			if got != 1 || err != nil || replies[0].Sequence != uint16(i) || replies[0].ID != c.ID() {
				t.Errorf("socket %d got %d replies: %+v, %v", i, got, replies[0], err)
			}
		}
	})
}
