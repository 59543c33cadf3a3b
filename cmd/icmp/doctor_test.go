package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

func TestDoctorSaysWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  netlab.Config
		code int
		want []string
	}{
		{"with all privileges", netlab.Config{PingGroups: true}, exitAlive,
			[]string{"icmp      IPv4  yes                     yes", "sctp      IPv6  no (1)                  yes", "routing mark: yes"}},
		{"without privileges, ping allowed", netlab.Config{PingGroups: true, Unprivileged: true}, exitAlive,
			[]string{"icmp      IPv4  yes                     no (1)", "udp       IPv6  yes                     no (1)", "(1) socket: operation not permitted: CAP_NET_RAW is missing", "setcap cap_net_raw+ep"}},
		{"without any", netlab.Config{Unprivileged: true}, exitFailure,
			[]string{"icmp      IPv4  no (1)                  no (2)", "sysctl -w net.ipv4.ping_group_range", "CAP_NET_RAW is missing"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.cfg, func(t *testing.T) {
				got := runLine(t.Context(), "doctor")
				got.check(t, tt.code)
				for _, want := range tt.want {
					if !strings.Contains(got.stdout, want) {
						t.Errorf("it does not say %q:\n%s", want, got.stdout)
					}
				}
				checkDoctorJSON(t, tt.code)
			})
		})
	}
}

func checkDoctorJSON(t *testing.T, code int) {
	t.Helper()
	got := runLine(t.Context(), "doctor", "--json")
	got.check(t, code)
	var report struct {
		Sockets []jsonCapability
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || len(report.Sockets) != 16 {
		t.Fatalf("%d sockets, %v:\n%s", len(report.Sockets), err, got.stdout)
	}
	for _, s := range report.Sockets {
		if s.Allowed != (s.Error == nil) {
			t.Errorf("%+v", s)
		}
	}
}
