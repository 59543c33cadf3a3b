package icmplib

import (
	"errors"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/zone"
)

func TestFamilyString(t *testing.T) {
	for family, want := range map[Family]string{
		AnyFamily: "any", IPv4: "IPv4", IPv6: "IPv6", Family(5): "Family(5)",
	} {
		if got := family.String(); got != want {
			t.Errorf("Family(%d).String() = %q, want %q", uint8(family), got, want)
		}
	}
}

func TestResolveRefusesAnUnknownFamily(t *testing.T) {
	_, err := Resolve(t.Context(), "192.0.2.1", Family(5))
	if _, ok := errors.AsType[*ConfigError](err); !ok {
		t.Errorf("%v, want a *ConfigError", err)
	}
}
func TestAProberUsesItsNameCache(t *testing.T) {
	z := &zone.Zone{Hosts: map[string][]string{"host.test.": {"10.0.9.9"}}}
	p := simProber(t, simNetwork(""), false)
	defer p.Close()
	p.cfg.Names = &NameCache{Resolver: z.Resolver()}
	for range 2 {
		if h, err := p.Ping(t.Context(), "host.test.", &PingOptions{Count: 1}); err != nil || !h.IsAlive() {
			t.Fatalf("%v, %v", h, err)
		}
		if hosts, err := p.MultiPing(t.Context(), []string{"host.test."}, &MultiPingOptions{Count: 1}); err != nil || !hosts[0].IsAlive() {
			t.Fatalf("%v, %v", hosts, err)
		}
	}
	if n := len(z.Queries()); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}
