package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// programs builds what is measured as a process of its own, each once and when it
// is first needed.
type programs struct {
	against string // a commit to compare with; "": none
	floor   func() (string, error)
	ours    func() (builds, error)
	theirs  func() (builds, error) // of that commit

	dir string
}

// builds are the programs of a commit.
type builds struct{ sweep, routes, icmp, mtrPacket string }

func newPrograms(against string) (*programs, error) {
	dir, err := os.MkdirTemp("", "icmplib-bench")
	if err != nil {
		return nil, err
	}
	p := &programs{against: against, dir: dir}
	p.floor = sync.OnceValues(func() (string, error) { return buildFloor(dir) })
	p.ours = sync.OnceValues(func() (builds, error) {
		root, err := moduleRoot()
		if err != nil {
			return builds{}, err
		}
		return p.build(root, filepath.Join(dir, "ours"))
	})
	p.theirs = sync.OnceValues(p.buildOther)
	return p, nil
}

func (p *programs) remove() { _ = os.RemoveAll(p.dir) }

// moduleRoot is where the source is: the bench is run inside it.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/goicmp/icmplib").Output()
	if err != nil {
		return "", fmt.Errorf("run it inside the module, with the go command at hand: %w: %s", err, stderr(err))
	}
	return strings.TrimSpace(string(out)), nil
}

func (p *programs) build(root, into string) (builds, error) {
	b := builds{sweep: filepath.Join(into, "sweep"), routes: filepath.Join(into, "routes"), icmp: filepath.Join(into, "icmp"),
		mtrPacket: filepath.Join(into, "mtr-packet")}
	for path, source := range map[string]string{
		b.sweep: "./internal/lab/bench/sweep", b.routes: "./internal/lab/bench/routes", b.icmp: "./cmd/icmp", b.mtrPacket: "./cmd/mtr-packet",
	} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as releases are
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return b, fmt.Errorf("build %s: %w: %s", source, err, out)
		}
	}
	return b, nil
}

// buildOther builds the programs of the other commit. It gets the sweep and the routes of
// this one: they use only what the library exports.
func (p *programs) buildOther() (builds, error) {
	root, err := moduleRoot()
	if err != nil {
		return builds{}, err
	}
	tree := filepath.Join(p.dir, "tree")
	if err := os.MkdirAll(tree, 0o700); err != nil {
		return builds{}, err
	}
	archive := exec.Command("git", "archive", "--format=tar", p.against)
	archive.Dir = root
	files, err := archive.Output()
	if err != nil {
		return builds{}, fmt.Errorf("git archive %s: %w: %s", p.against, err, stderr(err))
	}
	unpack := exec.Command("tar", "-x", "-C", tree)
	unpack.Stdin = bytes.NewReader(files)
	if out, err := unpack.CombinedOutput(); err != nil {
		return builds{}, fmt.Errorf("tar: %w: %s", err, out)
	}
	for name, source := range map[string][]byte{"sweep": sweepSource, "routes": routesSource} {
		dir := filepath.Join(tree, "internal/lab/bench", name)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600)); err != nil {
			return builds{}, err
		}
	}
	return p.build(tree, filepath.Join(p.dir, "theirs"))
}
