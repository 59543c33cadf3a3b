package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// textProbes writes what people read: a line for each probe.
type textProbes struct {
	out     io.Writer
	several bool       // number the lines
	names   *nameCache // nil: numbers only
}

func (t textProbes) result(target string, r icmplib.Result) {
	fmt.Fprintln(t.out, t.line(target, r))
}

// line describes one result. It begins with its word.
func (t textProbes) line(target string, r icmplib.Result) string {
	var b strings.Builder
	b.WriteString(r.Status.String())
	if r.Responder.IsValid() {
		b.WriteString(" from " + t.display(target, r.Dst, r.Responder))
	} else {
		b.WriteString(" to " + t.display(target, r.Dst, r.Dst))
	}
	if t.several {
		fmt.Fprintf(&b, " seq=%d", r.Seq)
	}
	switch {
	case r.Cause != nil:
		fmt.Fprintf(&b, ": %v", r.Cause)
	case r.Status != icmplib.StatusNoReply:
		b.WriteString(ttl(r) + " time=" + milliseconds(r.RTT))
	}
	if r.Status != icmplib.StatusReply && r.Type != 0 {
		described := r
		described.MPLS = nil // told in full
		b.WriteString(": " + describe(described))
	}
	b.WriteString(labelStack(r.MPLS) + interfaceNames(r.Interfaces))
	b.WriteString(remarks(r) + mark(r.Suspect, " (our own socket lost packets)") + mark(r.Retransmitted, " (sent again by the system)"))
	return b.String()
}

// display returns an address with its name. The target goes by the name that it
// was given.
func (t textProbes) display(target string, dst, addr netip.Addr) string {
	name := ""
	switch {
	case t.names == nil:
	case !isAddress(target) && addr.WithZone("") == dst.WithZone(""):
		name = target
	default:
		name = t.names.await(addr)
	}
	if name == "" {
		return addr.String()
	}
	return fmt.Sprintf("%s (%s)", name, addr)
}

// probeLine is the command line of probe: its flags are those of ping, and of
// traceroute what ping does not have.
type probeLine struct {
	probeFlags
	protocolFlags
	count    int
	interval time.Duration
	numeric  bool
	json     bool
}

func (f *probeLine) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 1, "how many probes to send, one after the other")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "from one probe to the next, at the least; 0: none")
	f.probeFlags.register(flags, pingLetters)
	f.protocolFlags.register(flags, letters{"protocol": "P", "udp": "U", "tcp": "T", "port": "p", "flow-label": "l"})
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per probe")
}

// options translates the command line, and refuses what it cannot mean.
func (f *probeLine) options() (*icmplib.ProbeOptions, *icmplib.Config, error) {
	if f.count < 1 {
		return nil, nil, refuse("count", f.count, "1 or more")
	}
	if err := f.probeFlags.check(); err != nil {
		return nil, nil, err
	}
	if err := f.protocolFlags.check(&f.probeFlags); err != nil {
		return nil, nil, err
	}
	opts := &icmplib.ProbeOptions{Timeout: f.timeout, Packet: f.packet()}
	f.apply(&opts.Packet)
	return opts, f.config(), nil
}

func (f *probeLine) reporter(out io.Writer) probeReporter {
	if f.json {
		protocol, _ := icmplib.ParseProtocol(f.protocol)
		return jsonProbes{&jsonWriter{out: out}, protocol}
	}
	text := textProbes{out: out, several: f.count > 1}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}

// jsonProbes writes an object for each probe.
type jsonProbes struct {
	*jsonWriter
	protocol icmplib.Protocol
}

func (j jsonProbes) result(target string, r icmplib.Result) {
	j.write(&r, jsonField{"name", target}, jsonField{"protocol", j.protocol.String()})
}
