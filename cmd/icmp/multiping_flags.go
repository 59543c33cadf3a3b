package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// maxMultipingCount is the most that the library takes.
const maxMultipingCount = 1<<24 - 1

// multipingFlags is the command line of multiping.
type multipingFlags struct {
	probeFlags
	count        int
	interval     time.Duration
	rate         int
	files        []string
	allAddresses bool
	broadcast    bool
	shuffle      bool
	seed         uint64
	shard        shardFlag
	alive        bool
	unreachable  bool
	quiet        bool
	json         bool
	csv          bool
}

func (f *multipingFlags) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 2, "requests to each host")
	durationVar(flags, &f.interval, "interval", "i", 500*time.Millisecond, "from one request to a host to the next; 0: after each reply")
	flags.IntVarP(&f.rate, "rate", "r", 10_000, "packets per second, to all hosts together; 0: no limit")
	flags.StringArrayVarP(&f.files, "file", "f", nil, "list of targets, one per line; -: standard input; may be repeated")
	flags.BoolVar(&f.allAddresses, "all-addresses", false, "of IPv4 prefixes, ping the network and broadcast addresses, too")
	flags.BoolVarP(&f.broadcast, "broadcast", "b", false, "allow broadcast addresses among the targets")
	flags.BoolVar(&f.shuffle, "shuffle", false, "in random order, throughout all targets")
	flags.Uint64Var(&f.seed, "seed", 0, "with --shuffle: the order to repeat; 0: a new one")
	flags.Var(&f.shard, "shard", "only share I of N, from 0/N on: every Nth target")
	flags.BoolVarP(&f.alive, "alive", "a", false, "print only hosts that are alive; as text, just their names")
	flags.BoolVarP(&f.unreachable, "unreachable", "u", false, "print only hosts that are not; as text, just their names")
	f.probeFlags.register(flags)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per host")
	flags.BoolVar(&f.csv, "csv", false, "print a line of comma-separated values per host, after one of their names")
}

// options translates the command line, and refuses what it cannot mean.
func (f *multipingFlags) options() (*icmplib.MultiPingOptions, *icmplib.Config, error) {
	for _, check := range []func() error{f.checkOwn, f.check} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	opts := &icmplib.MultiPingOptions{
		Count:    f.count,
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Rate:     f.rate,
		Family:   f.family(),
		Packet:   f.packet(),
	}
	opts.Packet.Broadcast = f.broadcast
	if f.rate == 0 {
		opts.Rate = -1 // which is the library's word for no limit
	}
	return opts, f.config(), nil
}

func (f *multipingFlags) checkOwn() error {
	switch {
	case f.count < 1 || f.count > maxMultipingCount:
		return refuse("count", f.count, fmt.Sprintf("1 to %d", maxMultipingCount))
	case f.rate < 0:
		return refuse("rate", f.rate, "0 or more")
	case f.seed != 0 && !f.shuffle:
		return refuse("seed", f.seed, "none without --shuffle")
	case f.alive && f.unreachable:
		return errors.New("--alive and --unreachable exclude each other: one of them is allowed")
	case f.json && f.csv:
		return errors.New("--json and --csv exclude each other: one of them is allowed")
	case f.quiet && (f.json || f.csv):
		return errors.New("--quiet and --json or --csv exclude each other: one of them is allowed")
	}
	return nil
}

// order returns which targets are drawn, and in which order. A seed is made up
// where none was given.
func (f *multipingFlags) order() order {
	o := order{shard: f.shard.index, shards: max(f.shard.of, 1), shuffle: f.shuffle, seed: f.seed}
	for o.shuffle && o.seed == 0 {
		o.seed = rand.Uint64()
	}
	return o
}

// shows tells whether a host is to be printed. One whose fate was open when the
// command was interrupted is neither alive nor unreachable.
func (f *multipingFlags) shows(fate hostFate) bool {
	switch {
	case f.quiet || fate == hostOpen:
		return false
	case f.alive:
		return fate == hostAlive
	case f.unreachable:
		return fate != hostAlive
	}
	return true
}

// sumsUp tells whether the end is for people.
func (f *multipingFlags) sumsUp() bool { return !f.json && !f.csv }

func (f *multipingFlags) reporter(out io.Writer) hostReporter {
	switch {
	case f.json:
		return jsonHosts{&jsonReporter{out: out}}
	case f.csv:
		return newCSVHosts(out)
	case f.alive || f.unreachable:
		return nameHosts{out}
	}
	return textHosts{out}
}

// shardFlag is a share of the targets, as 0/4: the index, and how many shares
// there are.
type shardFlag struct{ index, of uint64 }

var _ pflag.Value = (*shardFlag)(nil)

var errShard = errors.New("a share such as 0/4, from 0/4 to 3/4, is allowed")

func (s *shardFlag) Set(text string) error {
	index, of, _ := strings.Cut(text, "/")
	i, err := strconv.ParseUint(index, 10, 64)
	if err != nil {
		return errShard
	}
	n, err := strconv.ParseUint(of, 10, 64)
	if err != nil || i >= n {
		return errShard
	}
	*s = shardFlag{i, n}
	return nil
}

func (s *shardFlag) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.index, s.of)
}

// Type is what the help shows for the value.
func (s *shardFlag) Type() string { return "I/N" }
