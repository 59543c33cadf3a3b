package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

const probeExamples = `  icmp probe 127.0.0.1
  icmp probe -t 3 -n 192.0.2.1
  icmp probe -T -p 443 -c 5 -i 200ms example.net
  icmp probe --json -P udp -t 4 example.net
  icmp probe --service quic -c 3 example.net
  icmp probe --type extended-echo --interface-name eth0 192.0.2.1
  icmp probe --type timestamp 192.0.2.1`

func newProbeCommand() *cobra.Command {
	flags := &probeLine{}
	cmd := &cobra.Command{
		Use:   "probe [flags] TARGET",
		Short: "Send one packet and report its result",
		Long: `Send one packet, or a few, and report the result of each.

Each line begins with the result in the words of mtr-packet: reply, no-reply,
ttl-expired, no-route-host, no-route-network, packet-too-big and so on. With
--json each result is one line: a Result of the library.

--type extended-echo asks the target whether one of its interfaces, or a neighbor,
is active (RFC 8335). Linux answers if net.ipv4.icmp_echo_enable_probe is 1.
--type timestamp asks the target for its time of day (RFC 792) and needs a raw
socket.

Times take a unit, such as 200ms, or are a number of seconds.

Exit codes: 0 the target answered, 1 it did not, even if a router did, or the
interface is not active, 2 its name was not found, 3 the command line is wrong,
4 no permission or a system error.`,
		Example: probeExamples,
		Args:    oneTarget,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.run(cmd.Context(), cmd.OutOrStdout(), targets[0])
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

// A probeReporter writes the result of each probe.
type probeReporter interface {
	result(target string, r icmplib.Result)
}

// run sends the probes to a target, one after the other.
func (f *probeLine) run(ctx context.Context, out io.Writer, target string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	prober, stop, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer stop()
	addrs, err := prober.Resolve(ctx, target, f.family())
	if err != nil {
		return endedBy(err, errDead)
	}
	if err := suits(&opts.Packet, addrs[0]); err != nil {
		return err
	}
	report := f.reporter(out)
	return f.probe(ctx, prober, addrs[0], opts, func(r icmplib.Result) { report.result(target, r) })
}

// probe sends the probes and returns what is to be said of the target. Ctrl-C
// ends it like the last of the results.
func (f *probeLine) probe(ctx context.Context, p *icmplib.Prober, dst netip.Addr, opts *icmplib.ProbeOptions, report func(icmplib.Result)) error {
	verdict := errDead
	next := time.NewTicker(max(f.interval, 1))
	defer next.Stop()
	for seq := range f.count {
		if seq > 0 && f.interval > 0 {
			select {
			case <-next.C:
			case <-ctx.Done():
				return verdict
			}
		}
		r, err := p.Probe(ctx, dst, opts)
		if err != nil {
			return endedBy(f.explain(err), verdict)
		}
		r.Seq, r.TTL = seq, f.ttl
		if err := f.explain(r.Cause); err != r.Cause {
			return err // a flag is wrong
		}
		report(r)
		switch {
		case r.Status == icmplib.StatusReply && (r.ExtendedEcho == nil || r.ExtendedEcho.Active):
			verdict = nil
		case errors.Is(r.Cause, os.ErrPermission):
			return r.Cause
		}
	}
	return verdict
}

// endedBy returns the error that ended a command: where that was Ctrl-C, what
// was to be said before.
func endedBy(err, verdict error) error {
	if errors.Is(err, context.Canceled) {
		return verdict
	}
	return err
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

// protocolFlags say what probes are made of.
type protocolFlags struct {
	protocol   string
	icmp       bool
	udp        bool
	tcp        bool
	port       int
	sourcePort int
	flowLabel  uint32
	service    string
	asked      string                 // the name that a DNS server is asked for
	given      func(flag string) bool // tells whether a flag is on the command line
}

func (f *protocolFlags) register(flags *pflag.FlagSet, l letters) {
	f.given = flags.Changed
	flags.StringVarP(&f.protocol, "protocol", l["protocol"], "icmp", "protocol of the probes: icmp, udp, tcp or sctp")
	flags.BoolVarP(&f.icmp, "icmp", l["icmp"], false, "same as --protocol icmp")
	flags.BoolVarP(&f.udp, "udp", l["udp"], false, "same as --protocol udp")
	flags.BoolVarP(&f.tcp, "tcp", l["tcp"], false, "same as --protocol tcp")
	flags.StringVar(&f.service, "service", "none", "send a request over udp that a server of this service answers: dns, ntp or quic")
	flags.StringVar(&f.asked, "service-name", "", "name to ask a dns server for; by default, ask for the root name servers")
	flags.IntVarP(&f.port, "port", l["port"], 0, "destination port; 0: the port of --service (53, 123 or 443), 33434 for udp, 80 for tcp and sctp")
	flags.IntVarP(&f.sourcePort, "source-port", l["source-port"], 0, "source port of udp, tcp and sctp; 0: any free port")
	flags.Uint32VarP(&f.flowLabel, "flow-label", l["flow-label"], 0, "IPv6 flow label of udp, tcp and sctp; 0: the system's")
}

// settle decides on the protocol among the flags that name one.
func (f *protocolFlags) settle() error {
	if _, err := icmplib.ParseProtocol(f.protocol); err != nil {
		return refuse("protocol", fmt.Sprintf("%q", f.protocol), "icmp, udp, tcp or sctp")
	}
	flag := ""
	if f.given("protocol") {
		flag = "--protocol " + f.protocol
	}
	for _, short := range [...]struct {
		given bool
		name  string
	}{{f.icmp, "icmp"}, {f.udp, "udp"}, {f.tcp, "tcp"}} {
		if !short.given {
			continue
		}
		if flag != "" && f.protocol != short.name {
			return fmt.Errorf("%s and --%s exclude each other: one of them is allowed", flag, short.name)
		}
		flag, f.protocol = "--"+short.name, short.name
	}
	return f.settleService(flag)
}

// settleService has a service asked by udp, which it takes, where no flag names a
// protocol.
func (f *protocolFlags) settleService(flag string) error {
	service, err := icmplib.ParseService(f.service)
	switch {
	case err != nil:
		return refuse("service", fmt.Sprintf("%q", f.service), "dns, ntp or quic")
	case f.asked != "" && service != icmplib.DNS:
		return refuse("service-name", f.asked, "none but with --service dns")
	case service == icmplib.NoService:
		return nil
	case flag != "" && f.protocol != "udp":
		return fmt.Errorf("--service %s and %s exclude each other: --service needs udp", f.service, flag)
	}
	f.protocol = "udp"
	for label := range strings.SplitSeq(strings.TrimSuffix(f.asked, "."), ".") {
		if f.asked != "" && (label == "" || len(label) > 63 || len(f.asked) > 253) { // RFC 1035 section 2.3.4
			return refuse("service-name", fmt.Sprintf("%q", f.asked), "a name of labels of 1 to 63 bytes, 253 in all,")
		}
	}
	return nil
}

// asks reports whether a service is asked.
func (f *protocolFlags) asks() bool { return f.service != "none" }

// check refuses what cannot be meant. The other flags say what shape the probe
// has; they have been checked.
func (f *protocolFlags) check(shape *probeFlags) error {
	if err := f.settle(); err != nil {
		return err
	}
	protocol, _ := icmplib.ParseProtocol(f.protocol)
	hasPorts := protocol != icmplib.ICMP
	switch {
	case f.port < 0 || f.port > maxPort:
		return refuse("port", f.port, "1 to 65535, or 0 for 33434 (udp) or 80 (tcp, sctp)")
	case f.asks() && shape.size != defaultSize:
		return refuse("size", shape.size, "none with --service, which sets the message,")
	case f.sourcePort < 0 || f.sourcePort > maxPort:
		return refuse("source-port", f.sourcePort, "1 to 65535, or 0 for any free port")
	case f.flowLabel > maxFlowLabel:
		return refuse("flow-label", f.flowLabel, fmt.Sprintf("0 to %d", maxFlowLabel))
	case f.port != 0 && !hasPorts:
		return refuse("port", f.port, "none with icmp, which has no ports,")
	case f.sourcePort != 0 && !hasPorts:
		return refuse("source-port", f.sourcePort, "none with icmp, which has no ports,")
	case f.flowLabel != 0 && !hasPorts:
		return refuse("flow-label", f.flowLabel, "none with icmp")
	case f.flowLabel != 0 && shape.only4:
		return errors.New("--flow-label and --ipv4 exclude each other: one of them is allowed")
	case shape.size < minSizeUDP && protocol == icmplib.UDP:
		return refuse("size", shape.size, fmt.Sprintf("%d to %d with udp", minSizeUDP, icmp.MaxSize))
	case shape.size != defaultSize && (protocol == icmplib.TCP || protocol == icmplib.SCTP):
		return refuse("size", shape.size, "none with "+f.protocol+", whose probes have no payload,")
	}
	return nil
}

const (
	maxPort      = 1<<16 - 1
	maxFlowLabel = 1<<20 - 1
	defaultSize  = 56
	minSizeUDP   = 12 // what the library sends at the least
)

// apply gives a packet the protocol and its ports. The flags have been checked.
func (f *protocolFlags) apply(p *icmplib.Packet) {
	p.Protocol, _ = icmplib.ParseProtocol(f.protocol)
	p.Port, p.SourcePort, p.FlowLabel = uint16(f.port), uint16(f.sourcePort), f.flowLabel
	p.Service, _ = icmplib.ParseService(f.service)
	p.ServiceName = f.asked
	if p.Protocol == icmplib.TCP || p.Protocol == icmplib.SCTP || f.asks() {
		p.Size = 0
	}
}

// words says in words what is sent by a protocol.
func (f *protocolFlags) words(p icmplib.Protocol) string {
	words := p.String()
	if p == icmplib.UDP && f.asks() {
		words += " " + f.service
	}
	if p != icmplib.ICMP && f.port != 0 {
		words += fmt.Sprintf(" port %d", f.port)
	}
	return words
}

// suits refuses what a packet cannot have on its way to a target.
func suits(p *icmplib.Packet, target netip.Addr) error {
	if p.FlowLabel != 0 && target.Is4() {
		return refuse("flow-label", p.FlowLabel, "none to "+target.String()+", because IPv4 has no flow labels,")
	}
	return nil
}
