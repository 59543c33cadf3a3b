package live

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib"
)

// clock is how times of day are written.
const clock = "15:04:05"

// eventRows returns the last events, the newest at the bottom.
func (m *Model) eventRows(t *track, count int) []string {
	if count == 0 {
		return nil
	}
	title := "Events"
	if hidden := len(t.events) - count; hidden > 0 {
		title = fmt.Sprintf("Events  (%d earlier ones: e)", hidden)
	}
	rows := []string{m.paint.head(title)}
	for _, e := range t.events[len(t.events)-count:] {
		rows = append(rows, m.event(e))
	}
	return rows
}

func (m *Model) event(e icmplib.Event) string {
	when := m.paint.faint(fmt.Sprintf("%s  round %-5d ", e.Time.Format(clock), e.Round))
	what := describe(e, m.glyphs().arrow)
	switch e.Kind {
	case icmplib.EventOutage:
		what = m.paint.bad(what)
	case icmplib.EventRecovery:
		what = m.paint.good(what)
	}
	return when + what
}

// Describe says in ASCII what has happened.
func Describe(e icmplib.Event) string { return describe(e, asciiGlyphs.arrow) }

func describe(e icmplib.Event, arrow string) string {
	switch e.Kind {
	case icmplib.EventRouteChange:
		return fmt.Sprintf("hop %d: %s %s %s", e.Distance, somebody(e.From), arrow, somebody(e.To))
	case icmplib.EventOutage:
		return "outage: the target stopped answering"
	case icmplib.EventAddressChange:
		return fmt.Sprintf("new address: %s %s %s", somebody(e.From), arrow, somebody(e.To))
	case icmplib.EventRecovery:
		return "recovery: the target answers again, after " + lasted(e.Duration)
	}
	return e.Kind.String()
}

func somebody(a netip.Addr) string {
	if !a.IsValid() {
		return "nobody"
	}
	return a.String()
}

// lasted writes a time that people waited for.
func lasted(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// outage returns the outage that has not ended, nil if there is none.
func (t *track) outage() *icmplib.Event {
	for i := len(t.events) - 1; i >= 0; i-- {
		switch t.events[i].Kind {
		case icmplib.EventOutage:
			return &t.events[i]
		case icmplib.EventRecovery, icmplib.EventAddressChange:
			return nil
		}
	}
	return nil
}
