package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// refuse names a flag, the value that it cannot have, and those that it can.
func refuse(flag string, value any, allowed string) error {
	return fmt.Errorf("--%s %v: %s is allowed", flag, value, allowed)
}

// explainFlag says the same of a value that is not even of the flag's type.
func explainFlag(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	flag, value := invalid.GetFlag(), fmt.Sprintf("%q", invalid.GetValue())
	switch flag.Value.Type() {
	case "int":
		return refuse(flag.Name, value, "a whole number")
	case "uint32":
		return refuse(flag.Name, value, "a whole number from 0 to 4294967295")
	case "uint64":
		return refuse(flag.Name, value, "a whole number from 0 to 18446744073709551615")
	case "bool":
		return refuse(flag.Name, value, "true or false")
	}
	return fmt.Errorf("--%s %s: %w", flag.Name, value, invalid.Unwrap())
}

// checkNumbers refuses what the library would refuse, too, or would take for a
// default or for none.
func (f *probeFlags) checkNumbers() error {
	switch {
	case f.size < 0 || f.size > icmp.MaxSize:
		return refuse("size", f.size, fmt.Sprintf("0 to %d", icmp.MaxSize))
	case f.ttl < 1 || f.ttl > 255:
		return refuse("ttl", f.ttl, "1 to 255")
	case f.class < 0 || f.class > 255:
		return refuse("traffic-class", f.class, "0 to 255")
	case f.timeout <= 0 || f.timeout > maxTimeout:
		return refuse("timeout", f.timeout, "more than 0 and up to 1h")
	}
	return nil
}

func (f *probeFlags) checkWords() error {
	switch {
	case f.pmtudisc != "do" && f.pmtudisc != "dont":
		return refuse("pmtudisc", fmt.Sprintf("%q", f.pmtudisc), "do or dont")
	case f.only4 && f.only6:
		return errors.New("--ipv4 and --ipv6 exclude each other: one of them is allowed")
	case f.device != "" && !interfaceExists(f.device):
		return refuse("interface", fmt.Sprintf("%q", f.device), "the name of an interface of this host")
	}
	return nil
}

// splitVia decides what -I means, as ping does: an address, or an interface.
func (f *probeFlags) splitVia() error {
	if f.via == "" {
		return nil
	}
	given, other := &f.device, "interface"
	switch {
	case isAddress(f.via):
		given, other = &f.source, "source"
	case !interfaceExists(f.via):
		return refuse("via", fmt.Sprintf("%q", f.via), "an interface or an address of this host")
	}
	if *given != "" && *given != f.via {
		return fmt.Errorf("--via %s and --%s %s exclude each other: one of them is allowed", f.via, other, *given)
	}
	*given = f.via
	return nil
}

func (f *probeFlags) sourceAddr() (netip.Addr, error) {
	if f.source == "" {
		return netip.Addr{}, nil
	}
	return netip.ParseAddr(f.source)
}

func (f *probeFlags) checkSource() error {
	if _, err := f.sourceAddr(); err != nil {
		return refuse("source", fmt.Sprintf("%q", f.source), "an address of this host")
	}
	return nil
}

// explain names the flag behind an error that only a target brings to light:
// that the source is not of its family, or not of this host.
func (f *probeFlags) explain(err error) error {
	flag := "source"
	if f.source == f.via {
		flag = "via"
	}
	var config *icmplib.ConfigError
	switch {
	case f.source == "":
		return err
	case errors.As(err, &config):
		return refuse(flag, f.source, config.Allowed)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return refuse(flag, f.source, "an address of this host")
	}
	return err
}

func interfaceExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
