package fields

import (
	"log/slog"
	"net/netip"
	"time"
)

// Attrs are the fields of a log group, each left out if it is not set. Errors are logged as
// their text.
type Attrs []slog.Attr

// Text adds a string that is not empty.
func (a *Attrs) Text(key, value string) {
	if value != "" {
		*a = append(*a, slog.String(key, value))
	}
}

// Addr adds a valid address.
func (a *Attrs) Addr(key string, addr netip.Addr) {
	if addr.IsValid() {
		*a = append(*a, slog.String(key, addr.String()))
	}
}

// Count adds a number that is not 0.
func (a *Attrs) Count(key string, n int) {
	if n != 0 {
		*a = append(*a, slog.Int(key, n))
	}
}

// Duration adds a duration that is not 0.
func (a *Attrs) Duration(key string, d time.Duration) {
	if d != 0 {
		*a = append(*a, slog.Duration(key, d))
	}
}

// Flag adds a flag that is set.
func (a *Attrs) Flag(key string, set bool) {
	if set {
		*a = append(*a, slog.Bool(key, true))
	}
}

// Error adds the text of an error.
func (a *Attrs) Error(key string, err error) {
	if err != nil {
		*a = append(*a, slog.String(key, err.Error()))
	}
}

// Group returns the fields as a group.
func (a *Attrs) Group() slog.Value { return slog.GroupValue(*a...) }

// Target adds a target by its name, if that is not the address, and its address.
func (a *Attrs) Target(name string, addr netip.Addr) {
	if addr.IsValid() && name == addr.String() {
		name = ""
	}
	a.Text("name", name)
	a.Addr("address", addr)
}
