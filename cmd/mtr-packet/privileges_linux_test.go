package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// nobody is a user and a group without rights, who runs the program.
const nobody = 65534

// installed returns a copy of this program that belongs to root and has a mode,
// where others can start it.
func installed(t *testing.T, mode os.FileMode) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	for d := directory; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(directory, "mtr-packet")
	source, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// conversation starts a program, has it answer commands, and looks at the
// privileges of each of its threads before it ends.
func conversation(t *testing.T, file string, user uint32, commands ...string) (answers []string, threads []string) {
	t.Helper()
	helper := exec.Command(file)
	helper.Env = append(os.Environ(), serveVariable+"=1")
	helper.Stderr = os.Stderr
	if user != 0 {
		helper.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	in, err := helper.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, c := range commands {
		fmt.Fprintln(in, c)
		if !lines.Scan() {
			t.Fatalf("no answer to %q: %v", c, lines.Err())
		}
		answers = append(answers, regexp.MustCompile(`time \d+`).ReplaceAllString(lines.Text(), "time T"))
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", helper.Process.Pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads are found: %v", err)
	}
	for _, f := range files {
		status, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		threads = append(threads, strings.Join(regexp.MustCompile(`(?m)^(Uid|Gid|CapInh|CapPrm|CapEff|CapAmb):.*$`).FindAllString(string(status), -1), " "))
	}
	in.Close()
	if err := helper.Wait(); err != nil {
		t.Error(err)
	}
	return answers, threads
}

// Before the first command is read, nothing is left of the privileges with which
// the program was started or installed, and all protocols work nevertheless.
func TestPrivilegesAreGoneBeforeTheFirstCommand(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can install a set-user-ID program")
	}
	const modes = os.ModeSetuid | os.ModeSetgid
	for _, tt := range []struct {
		name string
		mode os.FileMode
		user uint32
	}{
		{"set-user-ID", 0o755 | os.ModeSetuid, nobody},
		{"set-user-ID and set-group-ID", 0o755 | modes, nobody},
		{"started by root", 0o755, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				got, threads := conversation(t, installed(t, tt.mode), tt.user,
					"1 send-probe ip-4 127.0.0.1",
					"2 send-probe ip-6 ::1 local-ip-6 ::1",
					"3 send-probe ip-4 127.0.0.1 local-ip-4 127.0.0.1 protocol udp port 33434",
					"4 send-probe ip-4 127.0.0.1 protocol tcp port 9 local-device lo",
					"5 check-support feature sctp",
					"6 check-support feature mark",
				)
				want := []string{
					"1 reply ip-4 127.0.0.1 round-trip-time T",
					"2 reply ip-6 ::1 round-trip-time T",
					"3 reply ip-4 127.0.0.1 round-trip-time T",
					"4 reply ip-4 127.0.0.1 round-trip-time T",
					"5 feature-support support ok",
					"6 feature-support support no",
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				id := fmt.Sprintf("\t%d\t%[1]d\t%[1]d\t%[1]d", tt.user)
				const none = "\t0000000000000000"
				unprivileged := "Uid:" + id + " Gid:" + id + " CapInh:" + none + " CapPrm:" + none + " CapEff:" + none + " CapAmb:" + none
				for _, thread := range threads {
					if thread != unprivileged {
						t.Errorf("a thread has %q, want %q", thread, unprivileged)
					}
				}
			})
		})
	}
}

// A set-group-ID program that may open no raw socket gives its group up alike.
func TestTheGroupIsGivenUp(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can install a set-group-ID program")
	}
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		_, threads := conversation(t, installed(t, 0o755|os.ModeSetgid), nobody, "1 check-support feature send-probe")
		for _, thread := range threads {
			if !strings.Contains(thread, "Gid:\t65534\t65534\t65534\t65534") {
				t.Errorf("a thread has %q", thread)
			}
		}
	})
}
