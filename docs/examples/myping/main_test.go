package main

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// asProgram makes the test's binary run as the program itself.
const asProgram = "MYPING_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestItAsks(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: true}, func(t *testing.T) {
		for _, tt := range []struct {
			to       string
			succeeds bool
			want     string
		}{
			{"127.0.0.1", true, `^(127\.0\.0\.1 echo reply 64 \S+s\n){4}$`},
			{"::1", true, `^(::1 echo reply 64 \S+s\n){4}$`},
			{"192.0.2.1", false, `network is unreachable`}, // the namespace has no route to it
			{"not-an-address", false, `not-an-address`},
		} {
			program := exec.Command(os.Args[0], tt.to)
			program.Env = append(os.Environ(), asProgram+"=1")
			out, err := program.CombinedOutput()
			if (err == nil) != tt.succeeds || !regexp.MustCompile(tt.want).Match(out) {
				t.Errorf("%s: %v\n%s", tt.to, err, out)
			}
		}
	})
}
