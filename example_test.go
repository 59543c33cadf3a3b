package icmplib_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func ExamplePing() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	host, err := icmplib.Ping(ctx, "127.0.0.1", &icmplib.PingOptions{Count: 3, Interval: 10 * time.Millisecond})
	if errors.Is(err, os.ErrPermission) {
		log.Print(err) // it says what is in the way, and how to allow it
		return
	}
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(host.PacketsReceived, "of", host.PacketsSent, "answered, loss", host.PacketLoss())
	fmt.Println("measured:", host.AvgRTT() > 0)
	// Output:
	// 3 of 3 answered, loss 0
	// measured: true
}

func ExampleNewProber() {
	prober, err := icmplib.NewProber(&icmplib.Config{
		Mode:    socket.Auto,                      // raw sockets only where datagram ones are denied
		Source4: netip.MustParseAddr("127.0.0.1"), // of all that is sent over IPv4
		Rate:    1000,                             // packets per second at the most
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	host, err := prober.Ping(context.Background(), "localhost", &icmplib.PingOptions{Count: 1})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(host.Name, host.Address, host.IsAlive())
	// Output: localhost 127.0.0.1 true
}

func ExampleNewProber_refused() {
	_, err := icmplib.NewProber(&icmplib.Config{Source4: netip.IPv6Loopback()})
	fmt.Println(err)

	if field, ok := errors.AsType[*icmplib.ConfigError](err); ok {
		fmt.Println(field.Field, field.Value)
	}
	// Output:
	// Source4 is ::1: allowed is an IPv4 address
	// Source4 ::1
}

// Results wait while the body of the loop is slow, here as long as three intervals.
func ExampleProber_PingSeq_buffer() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	var last time.Time
	for result, err := range prober.PingSeq(context.Background(), "127.0.0.1", &icmplib.PingOptions{
		Count:    4,
		Interval: 20 * time.Millisecond,
		Buffer:   100,
	}) {
		if err != nil {
			log.Print(err)
			return
		}
		if result.Seq > 0 {
			fmt.Println("left an interval later:", result.Sent.Sub(last) < 2*time.Second)
		}
		last = result.Sent
		time.Sleep(60 * time.Millisecond) // a slow database, say
	}
	// Output:
	// left an interval later: true
	// left an interval later: true
	// left an interval later: true
}

func ExampleProber_PingSeq() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	var stats icmplib.Stats
	for result, err := range prober.PingSeq(context.Background(), "127.0.0.1", &icmplib.PingOptions{
		Count:    -1, // for ever, but for the break
		Interval: 10 * time.Millisecond,
	}) {
		if err != nil {
			log.Print(err)
			return
		}
		stats.Add(result)
		fmt.Println(result.Seq, result.Status, result.Responder, result.Err())
		if stats.PacketsSent == 3 {
			break
		}
	}
	fmt.Println(stats.Percentile(0.95) == stats.MaxRTT())
	// Output:
	// 0 reply 127.0.0.1 <nil>
	// 1 reply 127.0.0.1 <nil>
	// 2 reply 127.0.0.1 <nil>
	// true
}

func ExampleResolve() {
	addrs, err := icmplib.Resolve(context.Background(), "localhost", icmplib.IPv6)
	fmt.Println(addrs, err)

	_, err = icmplib.Resolve(context.Background(), "no..name", icmplib.AnyFamily)
	fmt.Println(errors.Is(err, icmplib.ErrNameLookup), err)
	// Output:
	// [::1] <nil>
	// true cannot resolve "no..name": it has an empty label
}

func ExampleStats_Add() {
	var stats icmplib.Stats
	sent := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for seq, rtt := range []time.Duration{10, 20, 15} {
		stats.Add(icmplib.Result{Seq: seq, Sent: sent, Status: icmplib.StatusReply, RTT: rtt * time.Millisecond})
	}
	stats.Add(icmplib.Result{Seq: 3, Sent: sent, Status: icmplib.StatusNoReply})
	fmt.Println(stats.AvgRTT(), stats.Jitter(), stats.PacketLoss())
	// Output: 15ms 7.5ms 0.25
}

func ExampleResult_Err() {
	silent := icmplib.Result{Status: icmplib.StatusNoReply}
	fmt.Println(errors.Is(silent.Err(), icmplib.ErrTimeout))
	// Output: true
}

// Shards add up: what was stored as JSON is read, and merged.
func ExampleStats_Merge() {
	shards := []string{
		`{"schema":1,"packets_sent":2,"packets_received":2,"min_rtt_ms":1,"avg_rtt_ms":1.5,"max_rtt_ms":2,"last_rtt_ms":2,"rtts_ms":[1,2]}`,
		`{"schema":1,"packets_sent":2,"packets_received":1,"silent":1,"min_rtt_ms":3,"avg_rtt_ms":3,"max_rtt_ms":3,"last_rtt_ms":3,"rtts_ms":[3]}`,
	}
	var all icmplib.Stats
	for _, text := range shards {
		var shard icmplib.Stats
		if err := json.Unmarshal([]byte(text), &shard); err != nil {
			log.Print(err)
			return
		}
		all.Merge(&shard)
	}
	fmt.Println(all.PacketsReceived, "of", all.PacketsSent, all.PacketLoss(), all.MinRTT(), all.MaxRTT())
	// Output: 3 of 4 0.25 1ms 3ms
}
