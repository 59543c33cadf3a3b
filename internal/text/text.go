// Package text has the parts of reports for people.
package text

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Printable returns a text, quoted if it would do something to a terminal.
func Printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(text)
	}
	return text
}

// Target returns "example.org (192.0.2.1)", or the part of it that is known.
func Target(name string, addr netip.Addr) string {
	name = Printable(name)
	switch {
	case !addr.IsValid() || name == addr.String():
		return name
	case name == "":
		return addr.String()
	}
	return name + " (" + addr.String() + ")"
}

// Addr returns an address, and "*" for the zero Addr.
func Addr(addr netip.Addr) string { return AddrOr(addr, "*") }

// AddrOr returns an address, and another text for the zero Addr.
func AddrOr(addr netip.Addr, other string) string {
	if !addr.IsValid() {
		return other
	}
	return addr.String()
}

// Either returns one text if something is so, and another if not.
func Either(so bool, text, other string) string {
	if so {
		return text
	}
	return other
}

// Milliseconds returns a duration with three decimals, such as "9.800 ms".
func Milliseconds(d time.Duration) string {
	const perMillisecond = float64(time.Millisecond)
	return strconv.FormatFloat(float64(d)/perMillisecond, 'f', 3, 64) + " ms"
}

// Count is a number of things, and what they are.
type Count struct {
	N    int
	What string
}

// AppendCounts appends the counts that are not 0, such as "2 silent, 1 late", behind a title
// if there are any.
func AppendCounts(b []byte, title string, counts ...Count) []byte {
	before := title
	for _, c := range counts {
		if c.N == 0 {
			continue
		}
		b = append(b, before...)
		b = strconv.AppendInt(b, int64(c.N), 10)
		b = append(b, ' ')
		b = append(b, c.What...)
		before = ", "
	}
	return b
}
