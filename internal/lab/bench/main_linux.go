package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// options are the command line's.
type options struct {
	only   string
	rounds int
	hosts  int
	json   bool
	soak   time.Duration

	against    string
	cpuProfile string
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.only, "only", "", "measure only these sections, separated by commas: "+strings.Join(sectionNames(), ", "))
	flag.IntVar(&o.rounds, "rounds", 10, "turns of each measurement")
	flag.IntVar(&o.hosts, "hosts", 1<<16, "hosts in a turn, up to 65536")
	flag.BoolVar(&o.json, "json", false, "print the rows as JSON")
	flag.DurationVar(&o.soak, "soak", 0, "instead of measuring, ping for so long with loss and see that nothing grows")
	flag.StringVar(&o.against, "against", "", "measure sweeps of this commit, too")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "", "write a processor profile of the library's turns to this file")
	flag.Parse()
	o.rounds = max(1, o.rounds)
	o.hosts = min(max(1, o.hosts), 1<<16)
	return o
}

// section is a part of the table.
type section struct {
	name string
	run  func(*bench) error
}

var sections = []section{
	{"cpu", (*bench).processorTime},
	{"paced", (*bench).paced},
	{"tools", (*bench).tools},
	{"helper", (*bench).helper},
	{"loss", (*bench).loss},
	{"own-loss", (*bench).ownLoss},
	{"rtt", (*bench).roundTrip},
	{"stamps", (*bench).stamps},
	{"allocs", (*bench).allocations},
	{"rss", (*bench).resident},
	{"slots", (*bench).inFlight},
	{"crowd", (*bench).crowd},
	{"busy", (*bench).busy},
	{"answers", (*bench).answers},
	{"traces", (*bench).traces},
	{"many-traces", (*bench).manyTraces},
	{"monitors", (*bench).monitors},
	{"watch", (*bench).watch},
}

func sectionNames() (names []string) {
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}

func main() {
	o := parseFlags()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	switch stage := os.Getenv(stageVariable); stage {
	case "":
		return inNamespace()
	case stageInside:
	default:
		return child(stage)
	}
	if err := setUp(); err != nil {
		return err
	}
	if o.soak > 0 {
		return soak(o.soak)
	}
	return measure(o)
}

// measure runs the sections and prints the table.
func measure(o options) error {
	wanted := sectionNames()
	if o.only != "" {
		wanted = strings.Split(o.only, ",")
	}
	for _, name := range wanted {
		if !slices.Contains(sectionNames(), name) {
			return fmt.Errorf("there is no section %q; there are %s", name, strings.Join(sectionNames(), ", "))
		}
	}
	programs, err := newPrograms(o.against)
	if err != nil {
		return err
	}
	defer programs.remove()
	b := &bench{options: o, table: newTable(o.json), programs: programs}
	defer b.profile.stop()
	var errs []error
	for _, s := range sections {
		if !slices.Contains(wanted, s.name) {
			continue
		}
		if err := s.run(b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(append(errs, b.table.end())...)
}
