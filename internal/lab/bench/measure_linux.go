package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// bench is a run of the program.
type bench struct {
	options
	table    *table
	profile  profile
	programs *programs
}

// cpu returns the processor time that f uses, that of processes it has waited
// for included.
func cpu(f func() error) (time.Duration, error) {
	runtime.GC() // so that f need not clear up after others
	before := used(syscall.RUSAGE_SELF) + used(syscall.RUSAGE_CHILDREN)
	err := f()
	return used(syscall.RUSAGE_SELF) + used(syscall.RUSAGE_CHILDREN) - before, err
}

func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// turn is one of the things that are compared.
type turn struct {
	name    string
	profile bool
	run     func() error
}

// byTurns runs each of the turns rounds times, one after the other, and returns
// the processor time of each run. A round before them warms everything up.
func (b *bench) byTurns(turns ...turn) (times [][]float64, err error) {
	times = make([][]float64, len(turns))
	for round := range b.rounds + 1 {
		for i, t := range turns {
			if t.profile && round > 0 {
				b.profile.start(b.cpuProfile)
			}
			spent, err := cpu(t.run)
			if t.profile {
				b.profile.pause()
			}
			if err != nil {
				return nil, err
			}
			if round > 0 {
				times[i] = append(times[i], float64(spent))
			}
		}
	}
	return times, nil
}

// ratio returns the median of the ratios of the turns of one round.
func ratio(x, y []float64) float64 {
	r := make([]float64, len(x))
	for i := range x {
		r[i] = x[i] / y[i]
	}
	return median(r)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	if len(x)%2 == 0 {
		return (x[len(x)/2-1] + x[len(x)/2]) / 2
	}
	return x[len(x)/2]
}

// profile is a processor profile of one of the library's turns: the format has
// no room for pauses, so it is that of the last.
type profile struct{ file *os.File }

func (p *profile) start(name string) {
	if name == "" {
		return
	}
	file, err := os.Create(name)
	if err != nil {
		return
	}
	p.file = file
	_ = pprof.StartCPUProfile(file)
}

func (p *profile) pause() {
	if p.file == nil {
		return
	}
	pprof.StopCPUProfile()
	_ = p.file.Close()
	p.file = nil
}

func (p *profile) stop() { p.pause() }
