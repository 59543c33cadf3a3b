package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

// durationFlag is a time that is given with a unit, as 200ms, or as a number of
// seconds, as 0.2.
type durationFlag struct{ d *time.Duration }

var _ pflag.Value = durationFlag{}

var errTime = errors.New("0 or more seconds, such as 0.2, or a time with its unit, such as 200ms, is allowed")

func durationVar(flags *pflag.FlagSet, d *time.Duration, name, short string, def time.Duration, usage string) {
	*d = def
	flags.VarP(durationFlag{d}, name, short, usage)
}

func (f durationFlag) Set(s string) error {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		const most = 1e9 // a time.Duration holds 9.2e9 seconds
		if !(seconds >= 0 && seconds <= most) {
			return errTime
		}
		*f.d = time.Duration(seconds * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errTime
	}
	*f.d = d
	return nil
}

func (f durationFlag) String() string {
	if f.d == nil {
		return ""
	}
	return f.d.String()
}

// Type is what the help shows for the value.
func (f durationFlag) Type() string { return "time" }
