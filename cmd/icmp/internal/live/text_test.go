package live

import (
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00", 40 * time.Microsecond: "0.04", 9990 * time.Microsecond: "9.99", 9996 * time.Microsecond: "10.0",
		12345 * time.Microsecond: "12.3", 999 * time.Millisecond: "999.0", 1200 * time.Millisecond: "1200", time.Minute: "60000",
	} {
		if got := Milliseconds(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestAPercentageIsNeverRoundedToNoneOrAll(t *testing.T) {
	for part, want := range map[float64]string{0: "0.0", 0.0001: "0.1", 0.001: "0.1", 1. / 3: "33.3", 0.99: "99.0", 0.99999: "99.9", 1: "100"} {
		if got := Percent(part); got != want {
			t.Errorf("%v is %q, want %q", part, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"192.0.2.1", 9, "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", 11, "2001:…4:5:6"},
		{"router.example.net", 10, "route….net"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"日本語の名前です", 9, "日本…です"},
	} {
		got := shorten(tt.text, tt.width, "…")
		if ansi.StringWidth(got) > tt.width || got != tt.want {
			t.Errorf("%q in %d columns is %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
