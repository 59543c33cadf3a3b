package socket_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

func TestABadConfigIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		v     icmp.Version
		cfg   socket.Config
		field string
	}{
		{"a mode that there is not", icmp.V4, socket.Config{Mode: 9}, "Mode"},
		{"an IPv6 source for IPv4", icmp.V4, socket.Config{Source: netip.IPv6Loopback()}, "Source"},
		{"an IPv4 source for IPv6", icmp.V6, socket.Config{Source: netip.MustParseAddr("127.0.0.1")}, "Source"},
		{"an interface that there is not", icmp.V4, socket.Config{Interface: "nosuch0"}, "Interface"},
		{"a negative buffer", icmp.V4, socket.Config{ReceiveBuffer: -1}, "ReceiveBuffer"},
		{"a zone that there is not", icmp.V6, socket.Config{Source: netip.MustParseAddr("fe80::1%nosuch0")}, "zone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := open(tt.v, &tt.cfg)
			if err == nil {
				s.Close()
			}
			var config *socket.ConfigError
			if !errors.As(err, &config) || config.Field != tt.field {
				t.Errorf("got %v, want a ConfigError about %s", err, tt.field)
			}
		})
	}
}

func TestABadRequestIsRefused(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		other := loopback(icmp.V4 + icmp.V6 - v)
		for _, tt := range []struct {
			name  string
			req   icmp.Request
			field string
		}{
			{"no destination", icmp.Request{}, "Destination"},
			{"a destination of the other family", icmp.Request{Destination: other}, "Destination"},
			{"a TTL over 255", icmp.Request{Destination: loopback(v), TTL: 256}, "TTL"},
			{"a negative TTL", icmp.Request{Destination: loopback(v), TTL: -1}, "TTL"},
			{"a traffic class over 255", icmp.Request{Destination: loopback(v), TrafficClass: 256}, "TrafficClass"},
			{"a size over the maximum", icmp.Request{Destination: loopback(v), Size: icmp.MaxSize + 1}, "Size"},
		} {
			var config *socket.ConfigError
			if err := s.Send(t.Context(), &tt.req); !errors.As(err, &config) || config.Field != tt.field {
				t.Errorf("%s: got %v, want a ConfigError about %s", tt.name, err, tt.field)
			}
		}
		var config *socket.ConfigError
		if err := s.Send(t.Context(), nil); !errors.As(err, &config) {
			t.Errorf("no request: got %v, want a ConfigError", err)
		}
	})
}

func TestASourceThatIsNotOurs(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		foreign := map[icmp.Version]string{icmp.V4: "192.0.2.99", icmp.V6: "2001:db8::99"}[v]
		s, err := open(v, &socket.Config{Mode: mode, Source: netip.MustParseAddr(foreign)})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), foreign+" is not an address of this host") {
			t.Errorf("got %v, want to be told that %s is not ours", err, foreign)
		}
	})
}

func TestTheSourceIsWhereRepliesGo(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			source := netip.MustParseAddr("127.0.0.42")
			s := listen(t, icmp.V4, &socket.Config{Mode: mode, Source: source})
			if s.LocalAddr() != source {
				t.Errorf("the local address is %v, want %v", s.LocalAddr(), source)
			}
			req := &icmp.Request{Destination: netip.MustParseAddr("127.0.0.1")}
			if err := s.Send(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			reply, err := s.Receive(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Destination != source {
				t.Errorf("the reply came to %v, want %v", reply.Destination, source)
			}
		}
	})
}

func TestAutoTakesWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
		want socket.Mode
	}{
		{"datagram where it is open", netlab.Config{PingGroups: true}, socket.Datagram},
		{"datagram without privileges", netlab.Config{PingGroups: true, Unprivileged: true}, socket.Datagram},
		{"raw where datagram is closed", netlab.Config{}, socket.Raw},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.lab, func(t *testing.T) {
				for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
					if s := listen(t, v, nil); s.Mode() != tt.want {
						t.Errorf("%v: the mode is %v, want %v", v, s.Mode(), tt.want)
					}
				}
			})
		})
	}
}

func TestADeniedSocketSaysWhyAndWhatToDo(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		for _, tt := range []struct {
			mode socket.Mode
			want []string
		}{
			{socket.Datagram, []string{closedRange(), "sysctl -w"}},
			{socket.Raw, []string{"CAP_NET_RAW", "setcap"}},
			{socket.Auto, []string{closedRange(), "sysctl -w", "CAP_NET_RAW", "setcap"}},
		} {
			for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
				_, err := open(v, &socket.Config{Mode: tt.mode})
				var denied *socket.PermissionError
				if !errors.Is(err, os.ErrPermission) || !errors.As(err, &denied) {
					t.Errorf("%v %v: got %v, want a PermissionError", v, tt.mode, err)
					continue
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v %v: the error does not speak of %q: %v", v, tt.mode, want, err)
					}
				}
			}
		}
	})
}

// closedRange is how the error shows a range that admits nobody: a user
// namespace, which a test without root runs in, has no names for its bounds.
func closedRange() string {
	if b, _ := os.ReadFile("/proc/sys/net/ipv4/ping_group_range"); strings.HasPrefix(string(b), "65534") {
		return `net.ipv4.ping_group_range is "65534 65534"`
	}
	return `net.ipv4.ping_group_range is "1 0"`
}

func TestAMarkNeedsPrivileges(t *testing.T) {
	t.Run("without", func(t *testing.T) {
		netlab.Test(t, netlab.Config{Unprivileged: true, PingGroups: true}, func(t *testing.T) {
			_, err := open(icmp.V4, &socket.Config{Mode: socket.Datagram, Mark: 7})
			if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "the routing mark 7 needs CAP_NET_ADMIN or CAP_NET_RAW") {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("with", func(t *testing.T) {
		netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
			listen(t, icmp.V4, &socket.Config{Mark: 7})
		})
	})
}

func TestBroadcastNeedsToBeAllowed(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			s, err := socket.ListenICMPv4(&socket.Config{Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			req := &icmp.Request{Destination: netip.MustParseAddr("127.255.255.255")}
			err = s.Send(context.Background(), req)
			if !errors.Is(err, socket.ErrBroadcast) || !errors.Is(err, os.ErrPermission) {
				t.Errorf("%v: sending to the broadcast address: %v, want ErrBroadcast", mode, err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%v: the error is of several lines: %q", mode, err)
			}
			if err := s.SetBroadcast(true); err != nil {
				t.Fatal(err)
			}
			if err := s.Send(context.Background(), req); err != nil {
				t.Errorf("%v: sending to the broadcast address when allowed: %v", mode, err)
			}
		}
	})
}

func TestTheInterfaceBindsBothWays(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode, Interface: "lo"})
		req := &icmp.Request{Destination: loopback(v)}
		if err := s.Send(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context(), req); err != nil {
			t.Error(err)
		}
	})
}
