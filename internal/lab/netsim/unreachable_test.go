package netsim

import (
	"fmt"
	"testing"
)

func TestEachRefusal(t *testing.T) {
	for name, codes := range refusalNames {
		n := MustParse(clients + routed("refuse="+name, ""))
		for i, to := range []string{target4, target6} {
			want := "+0s 10.0.9.9 echo 0.0"
			if codes[i] != (Code{}) {
				want = fmt.Sprintf("+0s 10.0.1.1 %d/%d", codes[i].Type, codes[i].Code)
			}
			if i == 1 {
				want = "+0s 2001:db8:9::9 echo 0.0"
				if codes[i] != (Code{}) {
					want = fmt.Sprintf("+0s 2001:db8:1::1 %d/%d", codes[i].Type, codes[i].Code)
				}
			}
			ds := n.Send(start, probe{to: to}.echo())
			if len(ds) != 1 || show(start, ds[0]) != want {
				t.Errorf("%s: got %s, want %s", name, show(start, ds[0]), want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "codes may be given as numbers, for one version or both",
			net:  routed("refuse=3/200@1 refuse=,1/6@2", ""),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target6}.echo(), probe{to: target4}.echo()},
			want: []string{"+0s 10.0.1.1 3/200", "+0s 2001:db8:1::1 1/6", "+0s 10.0.9.9 echo 0.0"},
		},
		{
			name: "only some packets may be refused",
			net:  routed("refuse=prohibited@udp", "udp-echo=7"),
			send: [][]byte{probe{to: target4, port: 7}.udp(), probe{to: target4}.echo()},
			want: []string{"+0s 10.0.1.1 3/13", "+0s 10.0.9.9 echo 0.0"},
		},
		{
			name: "the target may refuse too",
			net:  routed("", "refuse=host-prohibited@v4"),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target6}.echo()},
			want: []string{"+0s 10.0.9.9 3/10", "+0s 2001:db8:9::9 echo 0.0"},
		},
		{
			name: "a redirect names a gateway, and the packet goes on",
			net:  routed("warn=redirect:10.0.1.2,2001:db8:1::2", ""),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target6}.echo()},
			want: []string{
				"+0s 10.0.1.1 5/1 0xa000102", "+0s 10.0.9.9 echo 0.0",
				"+0s 2001:db8:1::1 137/0", "+0s 2001:db8:9::9 echo 0.0",
			},
		},
		{
			name: "a source quench does not stop the packet either",
			net:  routed("warn=quench", ""),
			send: [][]byte{probe{to: target4}.echo()},
			want: []string{"+0s 10.0.1.1 4/0", "+0s 10.0.9.9 echo 0.0"},
		},
		{
			name: "a parameter problem points at a byte",
			net:  routed("refuse=parameter:20", ""),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target6}.echo()},
			want: []string{"+0s 10.0.1.1 12/0 0x14000000", "+0s 2001:db8:1::1 4/0 0x14"},
		},
	})
}
