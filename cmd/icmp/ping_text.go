package main

import (
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// textReporter writes what people read, in the manner of ping.
type textReporter struct {
	mu    sync.Mutex
	out   io.Writer
	quiet bool
	size  int
	names *nameCache // nil: numbers only

	drawn   bool // round-trip times are drawn below the summary
	unicode bool // with more than ASCII
	trails  map[*icmplib.Host]*trail
}

func newTextReporter(out io.Writer, f *pingFlags) *textReporter {
	t := &textReporter{out: out, quiet: f.quiet, size: f.size}
	if !f.numeric {
		t.names = newNameCache()
	}
	return t
}

func (t *textReporter) start(host *icmplib.Host) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "PING %s %d data bytes\n", nameOf(host), t.size)
}

func (t *textReporter) result(host *icmplib.Host, r icmplib.Result) {
	t.follow(host, r)
	if t.quiet {
		return
	}
	if line := t.line(host, r); line != "" {
		t.mu.Lock()
		defer t.mu.Unlock()
		fmt.Fprintln(t.out, line)
	}
}

// follow keeps what is to be drawn.
func (t *textReporter) follow(host *icmplib.Host, r icmplib.Result) {
	if !t.drawn {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trails == nil {
		t.trails = map[*icmplib.Host]*trail{}
	}
	if t.trails[host] == nil {
		t.trails[host] = &trail{}
	}
	t.trails[host].add(r)
}

func (t *textReporter) end(*icmplib.Host) {}

// line describes one result. Requests whose fate is open when the command ends
// are left to the summary.
func (t *textReporter) line(host *icmplib.Host, r icmplib.Result) string {
	switch {
	case r.Status == icmplib.StatusUnsettled:
		return ""
	case r.Cause != nil:
		return fmt.Sprintf("To %s seq=%d: %v", r.Dst, r.Seq, r.Cause)
	case r.Status == icmplib.StatusNoReply:
		return fmt.Sprintf("No reply from %s: seq=%d%s", t.display(host, r), r.Seq, mark(r.Suspect, " (our own socket lost packets)"))
	case r.Status == icmplib.StatusReply, r.Status == icmplib.StatusAltered:
		return fmt.Sprintf("%d bytes from %s: seq=%d%s time=%s%s", r.Size, t.display(host, r), r.Seq, ttl(r), milliseconds(r.RTT), remarks(r))
	}
	return fmt.Sprintf("From %s: seq=%d %s%s", t.display(host, r), r.Seq, describe(r), remarks(r))
}

func (t *textReporter) display(host *icmplib.Host, r icmplib.Result) string {
	addr := r.Responder
	if !addr.IsValid() {
		addr = r.Dst
	}
	if name := t.nameFor(host, addr); name != "" {
		return fmt.Sprintf("%s (%s)", name, addr)
	}
	return addr.String()
}

// nameFor returns what to call an address, or "". The target goes by the name
// that it was given; others are looked up. Who gives an address wants to see
// addresses, as ping takes it, and may have no resolver at all.
func (t *textReporter) nameFor(host *icmplib.Host, addr netip.Addr) string {
	switch {
	case t.names == nil || isAddress(host.Name):
		return ""
	case addr.WithZone("") == host.Address.WithZone(""):
		return host.Name
	}
	return t.names.get(addr)
}

// describe names an ICMP error as the registry does.
func describe(r icmplib.Result) string {
	typ := icmp.MakeType(icmp.VersionOf(r.Dst), r.Type)
	s := typ.String()
	if code := typ.CodeString(r.Code); code != "" && code != s {
		s += ": " + code
	}
	if r.MTU > 0 {
		s += fmt.Sprintf(" (MTU %d)", r.MTU)
	}
	for _, label := range r.MPLS {
		s += fmt.Sprintf(" [MPLS %d]", label.Label)
	}
	return s
}

func ttl(r icmplib.Result) string {
	if r.ReplyTTL == 0 {
		return ""
	}
	return fmt.Sprintf(" ttl=%d", r.ReplyTTL)
}

func remarks(r icmplib.Result) string {
	return mark(r.Duplicate, " (DUP!)") + mark(r.Corrects, " (after an error)") + mark(r.Late, " (late)") +
		mark(r.Altered, " (payload changed)") + mark(r.Status == icmplib.StatusAltered, " (not our payload)") +
		mark(r.Unproven, " (unproven)")
}

func mark(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

// milliseconds writes a time with three significant digits, at least.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.3f ms", ms)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
