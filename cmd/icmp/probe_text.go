package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
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
	b.WriteString(answered(&r))
	b.WriteString(labelStack(r.MPLS) + interfaceNames(r.Interfaces))
	b.WriteString(remarks(r) + mark(r.Suspect, " (our own socket lost packets)") + mark(r.Retransmitted, " (sent again by the system)"))
	return b.String()
}

// answered says what a query was answered with.
func answered(r *icmplib.Result) string {
	var said []string
	switch e := r.ExtendedEcho; {
	case e == nil:
	case r.Code != 0:
		said = append(said, r.Type.CodeString(r.Code))
	case !e.Active:
		said = append(said, "not active")
	default:
		said = append(said, "active")
		if e.IPv4 {
			said = append(said, "IPv4")
		}
		if e.IPv6 {
			said = append(said, "IPv6")
		}
	}
	if e := r.ExtendedEcho; e != nil && e.State != icmp.NeighborUnknown {
		said = append(said, e.State.String())
	}
	if s := r.Timestamp; s != nil {
		received, known := icmp.TimeOfDay(s.Receive)
		if !known {
			return ": a time in a unit of its own"
		}
		said = append(said, time.Time{}.Add(received).Format("15:04:05.000")+" UT")
		if offset, known := r.ClockOffset(); known {
			said = append(said, fmt.Sprintf("%+d ms from ours", offset.Round(time.Millisecond).Milliseconds()))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, ", ")
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
	csv      bool
	queryFlags
}

// queryFlags say what an ICMP probe asks for.
type queryFlags struct {
	kind      string
	name      string
	index     uint32
	address   string
	neighbor  string
	addresses [2]netip.Addr // of the two
}

// The kinds of a probe.
const (
	kindEcho      = "echo"
	kindExtended  = "extended-echo"
	kindTimestamp = "timestamp"
)

func (f *queryFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kind, "type", kindEcho, "ICMP request: echo, extended-echo (RFC 8335) or timestamp (RFC 792)")
	flags.StringVar(&f.name, "interface-name", "", "extended-echo: name of an interface of TARGET")
	flags.Uint32Var(&f.index, "interface-index", 0, "extended-echo: index of an interface of TARGET")
	flags.StringVar(&f.address, "interface-address", "", "extended-echo: address of an interface of TARGET")
	flags.StringVar(&f.neighbor, "neighbor", "", "extended-echo: address of a neighbor of TARGET")
}

// check refuses what cannot be meant.
func (f *queryFlags) check(protocol string) error {
	for i, text := range []string{f.address, f.neighbor} {
		if text == "" {
			continue
		}
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return refuse([]string{"interface-address", "neighbor"}[i], fmt.Sprintf("%q", text), "an address")
		}
		f.addresses[i] = addr
	}
	asked := f.name != "" || f.index != 0 || f.address != "" || f.neighbor != ""
	switch {
	case f.kind != kindEcho && f.kind != kindExtended && f.kind != kindTimestamp:
		return refuse("type", fmt.Sprintf("%q", f.kind), "echo, extended-echo or timestamp")
	case f.kind != kindEcho && protocol != "icmp":
		return refuse("type", f.kind, "none but echo with "+protocol)
	case f.kind != kindExtended && asked:
		return fmt.Errorf("interface flags need --type %s: add it", kindExtended)
	case f.kind == kindExtended && !asked:
		return fmt.Errorf("--type %s asks about an interface: add --interface-name, --interface-index, --interface-address or --neighbor", kindExtended)
	}
	return nil
}

// apply has a probe ask for what the flags say.
func (f *queryFlags) apply(o *icmplib.ProbeOptions) {
	switch f.kind {
	case kindExtended:
		o.ExtendedEcho = &icmp.ExtendedEcho{Local: f.neighbor == "", Name: f.name, Index: f.index, Address: f.addresses[0]}
		if f.neighbor != "" {
			o.ExtendedEcho.Address = f.addresses[1]
		}
	case kindTimestamp:
		o.Timestamp = true
	default:
		return
	}
	o.Packet.Size = 0
}

func (f *probeLine) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 1, "number of probes to send, one after the other")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "minimum time between probes; 0: none")
	f.probeFlags.register(flags, pingLetters)
	f.protocolFlags.register(flags, letters{"protocol": "P", "udp": "U", "tcp": "T", "port": "p", "flow-label": "l"})
	f.queryFlags.register(flags)
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per probe")
	flags.BoolVar(&f.csv, "csv", false, "print a CSV header and a line per probe")
}

// options translates the command line, and refuses what it cannot mean.
func (f *probeLine) options() (*icmplib.ProbeOptions, *icmplib.Config, error) {
	if f.count < 1 {
		return nil, nil, refuse("count", f.count, "1 or more")
	}
	if f.json && f.csv {
		return nil, nil, errors.New("--json and --csv exclude each other: one of them is allowed")
	}
	if err := f.probeFlags.check(); err != nil {
		return nil, nil, err
	}
	if err := f.protocolFlags.check(&f.probeFlags); err != nil {
		return nil, nil, err
	}
	if err := f.queryFlags.check(f.protocol); err != nil {
		return nil, nil, err
	}
	opts := &icmplib.ProbeOptions{Timeout: f.timeout, Packet: f.packet()}
	f.protocolFlags.apply(&opts.Packet)
	f.queryFlags.apply(opts)
	return opts, f.config(), nil
}

func (f *probeLine) reporter(out io.Writer) probeReporter {
	protocol, _ := icmplib.ParseProtocol(f.protocol)
	switch {
	case f.json:
		return jsonProbes{&jsonWriter{out: out}, protocol}
	case f.csv:
		return newCSVResults(out, protocol)
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
