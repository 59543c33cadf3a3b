package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fpingHosts is how many hosts it takes at once: it has one sequence number for
// each and keeps it for 10 s.
const fpingHosts = 1<<16 - 1

// fping is the tool, with a list of hosts and a file for what it says.
type fping struct {
	path, dir string
	ipv6      bool
}

// newFping returns nil where the tool is not installed.
func newFping(k kind, names []string) (*fping, error) {
	path, err := exec.LookPath("fping")
	if err != nil {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "icmplib-bench")
	if err != nil {
		return nil, err
	}
	f := &fping{path: path, dir: dir, ipv6: k.ipv6}
	return f, writeLines(f.file("hosts"), names[:min(len(names), fpingHosts)])
}

func (f *fping) file(name string) string { return filepath.Join(f.dir, name) }

func (f *fping) close() {
	if f != nil {
		_ = os.RemoveAll(f.dir)
	}
}

// run pings the hosts. What became of them is written to a file, so that reading
// it costs nothing here.
func (f *fping) run(args ...string) error {
	out, err := os.Create(f.file("out"))
	if err != nil {
		return err
	}
	defer out.Close()
	family := "-4"
	if f.ipv6 {
		family = "-6"
	}
	cmd := exec.Command(f.path, append([]string{family, "-q", "-f", f.file("hosts")}, args...)...)
	cmd.Stderr = out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: some did not answer
		return fmt.Errorf("fping: %w", err)
	}
	return nil
}

// result reads what the last run wrote: lines such as "127.16.0.1 : 0.036", in
// milliseconds, or "-" for no answer. It returns the mean in microseconds.
func (f *fping) result() (average float64, lost int, err error) {
	out, err := os.Open(f.file("out"))
	if err != nil {
		return 0, 0, err
	}
	defer out.Close()
	sum, n := 0.0, 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		_, figure, _ := strings.Cut(lines.Text(), " : ")
		ms, err := strconv.ParseFloat(strings.TrimSpace(figure), 64)
		if err != nil {
			lost++
			continue
		}
		sum, n = sum+ms, n+1
	}
	return sum * 1e3 / float64(max(1, n)), lost, nil
}
