// Command store keeps results as JSON lines, and adds them up:
//
//	store ping HOST... >> 10h.jsonl
//	store merge 09h.jsonl 10h.jsonl ...
//
// The files may be those of the hours of a day, of several machines, or of the shards of
// a sweep; merge counts what is said about one name together.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log"
	"maps"
	"os"
	"slices"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) < 3 || os.Args[1] != "ping" && os.Args[1] != "merge" {
		log.Fatal("usage: store ping HOST...\n       store merge FILE...")
	}
	do := merge
	if os.Args[1] == "ping" {
		do = ping
	}
	if err := do(os.Args[2:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func ping(hosts []string, out io.Writer) error {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		return err
	}
	defer prober.Close()
	return store(context.Background(), prober, slices.Values(hosts), out)
}

// pinger is what store needs of a Prober: of the library's, or of a test's.
type pinger interface {
	MultiPingSeq(ctx context.Context, targets iter.Seq[string], opts *icmplib.MultiPingOptions) iter.Seq2[*icmplib.Host, error]
}

// store pings hosts and writes a line for each.
func store(ctx context.Context, p pinger, hosts iter.Seq[string], out io.Writer) error {
	var line []byte // used again and again: a sweep may have a million hosts
	for host, err := range p.MultiPingSeq(ctx, hosts, &icmplib.MultiPingOptions{Count: 10}) {
		if err != nil {
			return err
		}
		if line, err = host.AppendJSON(line[:0]); err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// merge reads files of such lines and writes what they say together.
func merge(files []string, out io.Writer) error {
	sums := map[string]*icmplib.Stats{}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = add(sums, file)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		s := sums[name]
		if s.PacketsSent == 0 {
			fmt.Fprintf(out, "%s: nothing was sent\n", name)
			continue
		}
		fmt.Fprintf(out, "%s: %d sent, %.1f %% lost, median %v, 95 %% within %v\n",
			name, s.PacketsSent, 100*s.PacketLoss(), s.Percentile(0.5), s.Percentile(0.95))
	}
	return nil
}

// add adds the lines of one file to the sums.
func add(sums map[string]*icmplib.Stats, lines io.Reader) error {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 1<<20) // a line with a histogram can be longer than the 64 KB of a Scanner
	for scanner.Scan() {
		var host icmplib.Host
		if err := json.Unmarshal(scanner.Bytes(), &host); err != nil {
			return err
		}
		if sums[host.Name] == nil {
			sums[host.Name] = new(icmplib.Stats)
		}
		sums[host.Name].Merge(&host.Stats)
	}
	return scanner.Err()
}
