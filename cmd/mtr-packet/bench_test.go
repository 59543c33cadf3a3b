package main

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// BenchmarkServe answers 20,000 probes of loopback addresses.
func BenchmarkServe(b *testing.B) {
	const n = 20_000
	var in bytes.Buffer
	for i := range n {
		fmt.Fprintf(&in, "%d send-probe ip-4 127.0.%d.%d\n", i+1, i>>8&255, i&255|1)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := serve(bytes.NewReader(in.Bytes()), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/probe")
}
