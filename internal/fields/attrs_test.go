package fields

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// What is not set is left out, and a target that is its own name is told once.
func TestAttrsLeaveOutWhatIsNotSet(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	for _, tt := range []struct {
		name string
		add  func(a *Attrs)
		want string
	}{
		{"nothing", func(a *Attrs) {
			a.Text("t", "")
			a.Addr("a", netip.Addr{})
			a.Count("c", 0)
			a.Duration("d", 0)
			a.Flag("f", false)
			a.Error("e", nil)
			a.Target("", netip.Addr{})
		}, "[]"},
		{"all", func(a *Attrs) {
			a.Text("t", "x")
			a.Addr("a", addr)
			a.Count("c", 3)
			a.Duration("d", time.Second)
			a.Flag("f", true)
			a.Error("e", errors.New("broken"))
		}, "[t=x a=192.0.2.1 c=3 d=1s f=true e=broken]"},
		{"a name and its address", func(a *Attrs) { a.Target("web", addr) }, "[name=web address=192.0.2.1]"},
		{"an address as the name", func(a *Attrs) { a.Target("192.0.2.1", addr) }, "[address=192.0.2.1]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Attrs
			tt.add(&a)
			if got := a.Group().String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
