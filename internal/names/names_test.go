package names

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/goicmp/icmplib/internal/lab/zone"
)

func newZone() *zone.Zone {
	return &zone.Zone{
		Hosts: map[string][]string{
			"both.example.":            {"2001:db8::1", "192.0.2.1", "192.0.2.2"},
			"four.example.":            {"192.0.2.4"},
			"six.example.":             {"2001:db8::6"},
			"twice.example.":           {"192.0.2.4", "192.0.2.5", "192.0.2.4"},
			"none.example.":            {},
			"ill.example.":             {"192.0.2.9", "2001:db8::9"},
			"half.example.":            {"2001:db8::a"},
			"_under_score.example.":    {"192.0.2.10"},
			"xn--bcher-kva.example.":   {"192.0.2.11"},
			"host.xn--p1ai.":           {"192.0.2.12"},
			"host.top1.":               {"192.0.2.13"},
			"1and1.4.example.":         {"192.0.2.14"},
			longName(maxName) + ".":    {"192.0.2.15"},
			"mapped.example.":          {"::ffff:192.0.2.16"},
			"localhost.example.":       {"192.0.2.17"},
			"notlocalhost.":            {"192.0.2.18"},
			"0x7f.notnumeric.example.": {"192.0.2.19"},
		},
		Fails: map[string]bool{"ill.example. A": true, "half.example. AAAA": true},
	}
}

// longName returns a name of n bytes.
func longName(n int) string {
	return strings.Repeat("abcdefghi.", n/10) + strings.Repeat("a", n%10)
}

func TestResolveNames(t *testing.T) {
	tests := []struct {
		name    string
		host    string
		family  Family
		want    []string
		queries []string // nil: not looked at
	}{
		{"a name with both kinds gives its IPv4 addresses, and is not asked for the others",
			"both.example.", Any, []string{"192.0.2.1", "192.0.2.2"}, []string{"both.example. A"}},
		{"a name without IPv4 addresses gives its IPv6 ones, asked for second",
			"six.example.", Any, []string{"2001:db8::6"}, []string{"six.example. A", "six.example. AAAA"}},
		{"IPv6 alone is asked for where it is wanted",
			"both.example.", IPv6, []string{"2001:db8::1"}, []string{"both.example. AAAA"}},
		{"IPv4 alone is asked for where it is wanted",
			"both.example.", IPv4, []string{"192.0.2.1", "192.0.2.2"}, []string{"both.example. A"}},
		{"an address that is there twice is given once",
			"twice.example.", Any, []string{"192.0.2.4", "192.0.2.5"}, nil},
		{"a name without its trailing dot is the same", "four.example", Any, []string{"192.0.2.4"}, nil},
		{"an underscore is accepted", "_under_score.example.", Any, []string{"192.0.2.10"}, nil},
		{"an internationalised label is accepted", "xn--bcher-kva.example.", Any, []string{"192.0.2.11"}, nil},
		{"an internationalised top level is accepted", "host.xn--p1ai.", Any, []string{"192.0.2.12"}, nil},
		{"a digit in the top level is accepted", "host.top1.", Any, []string{"192.0.2.13"}, nil},
		{"labels of digits are accepted among others", "1and1.4.example.", Any, []string{"192.0.2.14"}, nil},
		{"so are hexadecimal ones", "0x7f.notnumeric.example.", Any, []string{"192.0.2.19"}, nil},
		{"a name of 253 bytes is accepted", longName(maxName) + ".", Any, []string{"192.0.2.15"}, nil},
		{"a name that begins as localhost is looked up", "localhost.example.", Any, []string{"192.0.2.17"}, nil},
		{"so is one that ends like it", "notlocalhost.", Any, []string{"192.0.2.18"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z := newZone()
			got, err := Resolve(t.Context(), z.Resolver(), tt.host, tt.family)
			if err != nil || !slices.Equal(got, addresses(tt.want)) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
			if tt.queries != nil && !slices.Equal(z.Queries(), tt.queries) {
				t.Errorf("asked for %v, want %v", z.Queries(), tt.queries)
			}
		})
	}
}

func addresses(list []string) (addrs []netip.Addr) {
	for _, s := range list {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs
}

func TestResolveNamesThatAreNotThere(t *testing.T) {
	tests := []struct {
		name     string
		host     string
		family   Family
		notFound bool
	}{
		{"a name that does not exist", "missing.example.", Any, true},
		{"a name that exists without an address", "none.example.", Any, true},
		{"a name without an address of the family", "four.example.", IPv6, true},
		{"a name whose only IPv6 address stands for an IPv4 one", "mapped.example.", IPv6, true},
		{"a server that fails", "ill.example.", IPv4, false},
		{"a server that fails has not said that there is no IPv4 address", "ill.example.", Any, false},
		{"a server that fails when it is asked for IPv6", "half.example.", Any, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addrs, err := Resolve(t.Context(), newZone().Resolver(), tt.host, tt.family)
			if !errors.Is(err, ErrLookup) || addrs != nil {
				t.Fatalf("got %v, %v, want ErrLookup", addrs, err)
			}
			dns, ok := errors.AsType[*net.DNSError](err)
			if !ok || dns.IsNotFound != tt.notFound {
				t.Errorf("%#v, want a *net.DNSError with IsNotFound %v", dns, tt.notFound)
			}
			if text := err.Error(); strings.Count(text, tt.host) != 1 {
				t.Errorf("%q names the host other than once", text)
			}
		})
	}
}

// noResolver fails the test if it is asked for anything.
func noResolver(t *testing.T) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Error("a server was to be asked")
			return nil, net.ErrClosed
		},
	}
}

func TestResolveNeedsNoServer(t *testing.T) {
	loopbackZone, loopbackIndex := loopbackInterface(t).Name, strconv.Itoa(loopbackInterface(t).Index)
	tests := []struct {
		name   string
		host   string
		family Family
		want   string // "": refused
	}{
		{"for an IPv4 address", "192.0.2.1", Any, "192.0.2.1"},
		{"for an IPv6 address", "2001:db8::1", Any, "2001:db8::1"},
		{"for an address of the family", "2001:db8::1", IPv6, "2001:db8::1"},
		{"for an address with a zone, which it keeps", "fe80::1%" + loopbackZone, Any, "fe80::1%" + loopbackZone},
		{"for an address with the number of a zone", "fe80::1%" + loopbackIndex, Any, "fe80::1%" + loopbackIndex},
		{"for an IPv4-mapped address, which is an IPv4 one", "::ffff:192.0.2.1", IPv4, "192.0.2.1"},
		{"for localhost", "localhost", Any, "127.0.0.1"},
		{"for localhost over IPv6", "localhost", IPv6, "::1"},
		{"for what is below localhost, in any case", "A.LocalHost.", IPv4, "127.0.0.1"},

		{"to refuse an IPv6 address as an IPv4 one", "2001:db8::1", IPv4, ""},
		{"to refuse an IPv4 address as an IPv6 one", "192.0.2.1", IPv6, ""},
		{"to refuse an IPv4-mapped address as an IPv6 one", "::ffff:192.0.2.1", IPv6, ""},
		{"to refuse a zone that does not exist", "fe80::1%nowhere", Any, ""},
		{"to refuse an index that does not exist", "fe80::1%2147483000", Any, ""},
		{"to refuse nothing at all", "", Any, ""},
		{"to refuse the root", ".", Any, ""},
		{"to refuse an empty label", "a..example", Any, ""},
		{"to refuse a leading dot", ".example", Any, ""},
		{"to refuse two trailing dots", "example..", Any, ""},
		{"to refuse a space", " ", Any, ""},
		{"to refuse a space within", "exa mple.org", Any, ""},
		{"to refuse a NUL", "example.org\x00", Any, ""},
		{"to refuse a newline", "example.org\n", Any, ""},
		{"to refuse a URL", "http//example.org", Any, ""},
		{"to refuse a port", "example.org:80", Any, ""},
		{"to refuse what is not ASCII", "bücher.example", Any, ""},
		{"to refuse a label of 64 bytes", strings.Repeat("a", 64) + ".example", Any, ""},
		{"to refuse a name of 254 bytes", longName(maxName + 1), Any, ""},
		{"to refuse an IPv4 address out of range", "256.1.1.1", Any, ""},
		{"to refuse an IPv4 address with octal parts", "192.0.2.01", Any, ""},
		{"to refuse a number", "1234", Any, ""},
		{"to refuse a hexadecimal number", "0x7f000001", Any, ""},
		{"to refuse numbers of both kinds", "0X7F.1.", Any, ""},
		{"to refuse an IPv6 address that is none", "2001:db8::1::2", Any, ""},
		{"to refuse an IPv4 address with a zone", "192.0.2.1%lo", Any, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Resolve(t.Context(), noResolver(t), tt.host, tt.family)
			if tt.want == "" {
				if !errors.Is(err, ErrLookup) || got != nil {
					t.Errorf("got %v, %v, want ErrLookup", got, err)
				}
				return
			}
			if err != nil || !slices.Equal(got, addresses([]string{tt.want})) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func loopbackInterface(t *testing.T) net.Interface {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 {
			return i
		}
	}
	t.Skip("this system shows no loopback interface")
	return net.Interface{}
}

func TestResolveNamesTheMissingZone(t *testing.T) {
	_, err := Resolve(t.Context(), noResolver(t), "fe80::1%nowhere", Any)
	if err == nil || !strings.Contains(err.Error(), `zone "nowhere"`) {
		t.Errorf("%v does not name the zone", err)
	}
}

// quick answers at once, whatever its context says.
type quick struct{}

func (quick) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("192.0.2.9")}, nil
}

func TestNobodyIsAskedWhenTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if addrs, err := Resolve(ctx, quick{}, "four.example.", Any); err != context.DeadlineExceeded {
		t.Errorf("%v, %v", addrs, err)
	}
}

func TestResolveEndsWithItsContext(t *testing.T) {
	reason := errors.New("the user went away")
	tests := []struct {
		name string
		host string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error // nil: it is not in the way
	}{
		{"that was cancelled", "four.example.", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, context.Canceled},
		{"that was cancelled for a reason", "four.example.", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(reason)
			return ctx, func() {}
		}, reason},
		{"whose deadline is over", "four.example.", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now())
		}, context.DeadlineExceeded},
		{"but an address needs none", "192.0.2.1", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now())
		}, nil},
		{"but an impossible name stays what it is", "exa mple", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now())
		}, ErrLookup},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := tt.ctx(t.Context())
			defer cancel()
			_, err := Resolve(ctx, newZone().Resolver(), tt.host, Any)
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if tt.want != ErrLookup && errors.Is(err, ErrLookup) {
				t.Errorf("%v blames the name", err)
			}
		})
	}
}

func TestResolveIsInterruptedWhileAServerKeepsSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent := &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			t.Cleanup(func() { server.Close() })
			cancel() // now that somebody waits
			return client, nil
		},
	}
	if _, err := Resolve(ctx, silent, "four.example.", Any); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func FuzzCheckName(f *testing.F) {
	for _, name := range []string{
		"", ".", "a", "a.", "example.org", "_a-b.xn--p1ai", "1234", "0x7f.1", "a..b", "\x00", "bücher",
		strings.Repeat("a", 64), longName(253), longName(254),
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if Check(name) != nil {
			return
		}
		// What is accepted fits into a DNS message, and is no address to anybody.
		if _, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + "."); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := netip.ParseAddr(name); err == nil || strings.ContainsAny(name, " :/%\x00") {
			t.Errorf("%q is accepted as a name", name)
		}
	})
}

func TestWhyANameIsRefused(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]error{
		"": errNameEmpty, ".": errNameEmpty, "..": errLabelEmpty, "a..b": errLabelEmpty, ".a": errLabelEmpty,
		"a:b": errNameColon, "::1::2": errNameColon,
		longName(253): nil, longName(253) + ".": nil, longName(254): errNameLong,
		long: nil, long + "a": errLabelLong, "a." + long + "a": errLabelLong,
		"a b": errNameByte, "a@": errNameByte, "a[": errNameByte, "a`": errNameByte, "a{": errNameByte, "a/": errNameByte,
		"az-AZ_09.x": nil, "z": nil, "Z": nil, "9z": nil,
		"9": errNameNumeric, "1.2.3.4.5": errNameNumeric, "0x": errNameNumeric, "0Xaf.1": errNameNumeric, "1.a.2": nil, "0": errNameNumeric,
		"1xaf": nil, "0xg": nil, "00": errNameNumeric, "0z1": nil,
	} {
		if got := Check(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// answers is a resolver that answers by a function.
type answers func() ([]netip.Addr, error)

func (a answers) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return a() }

func TestAFailureThatTheEndOfTheContextExplains(t *testing.T) {
	reason := errors.New("the user went away")
	for _, tt := range []struct {
		err  error
		want error
	}{
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, reason},
		{errors.New("out of order"), ErrLookup},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := Resolve(ctx, answers(func() ([]netip.Addr, error) {
			cancel(reason)
			return nil, tt.err
		}), "four.example.", IPv4)
		if !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.err, err, tt.want)
		}
	}
}

func TestAnAnswerWithoutAddressesIsNotFound(t *testing.T) {
	_, err := Resolve(t.Context(), answers(func() ([]netip.Addr, error) { return nil, nil }), "none.example.", IPv4)
	if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
		t.Errorf("%v", err)
	}
}

// late is a context whose deadline has passed, of which it does not know yet.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }

func TestADeadlineThatHasPassedEndsALookup(t *testing.T) {
	if _, err := Resolve(late{t.Context()}, quick{}, "four.example.", IPv4); err != context.DeadlineExceeded {
		t.Errorf("%v", err)
	}
}
