package main

import (
	"reflect"
	"testing"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// registrar is the command line of a command.
type registrar interface{ register(*pflag.FlagSet) }

// parseInto reads a command line without targets.
func parseInto[F registrar](t *testing.T, f F, args ...string) F {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.register(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// checkShortNames compares the short names of all flags, "" for a flag that has
// none.
func checkShortNames(t *testing.T, f registrar, want map[string]string) {
	t.Helper()
	if got := shortNames(f); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func shortNames(f registrar) map[string]string {
	names := map[string]string{}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.register(flags)
	flags.VisitAll(func(f *pflag.Flag) { names[f.Name] = f.Shorthand })
	return names
}

// checkOptions compares what a command line means with what it is to mean.
func checkOptions[O any](t *testing.T, line []string, got *O, gotConfig *icmplib.Config, err error, want *O, wantConfig *icmplib.Config) {
	t.Helper()
	switch {
	case err != nil:
		t.Errorf("%q: %v", line, err)
	case !reflect.DeepEqual(got, want), !reflect.DeepEqual(gotConfig, wantConfig):
		t.Errorf("%q\ngot  %+v %+v\nwant %+v %+v", line, *got, *gotConfig, *want, *wantConfig)
	}
}
