package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestManualPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	dir := filepath.Join(t.TempDir(), "man1")
	runLine(t.Context(), "man", dir).check(t, exitAlive)
	pages := 0
	eachCommand(func(cmd *cobra.Command) {
		if !cmd.IsAvailableCommand() && cmd.HasParent() || cmd.Name() == "help" {
			return
		}
		pages++
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		t.Run(name, func(t *testing.T) {
			checkManualPage(t, filepath.Join(dir, name), cmd)
		})
	})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != pages {
		t.Errorf("%d files for %d commands, %v", len(files), pages, err)
	}
}

func checkManualPage(t *testing.T, path string, cmd *cobra.Command) {
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXAMPLE", `"Sep 2001" "icmplib"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("it has no %s", want)
		}
	}
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("there is no man to read the pages with")
	}
	reader := exec.CommandContext(t.Context(), man, "--warnings", "-l", path)
	reader.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=200", "MANPAGER=cat", "PAGER=cat")
	var complaints strings.Builder
	reader.Stderr = &complaints
	text, err := reader.Output()
	if err != nil || !strings.Contains(string(text), "NAME") {
		t.Skipf("man shows no pages here, as in containers that were made small: %v\n%s", err, &complaints)
	}
	if strings.Contains(complaints.String(), "warning") {
		t.Errorf("man complains:\n%s", &complaints)
	}
	for line := range strings.Lines(cmd.Example) {
		if !strings.Contains(string(text), strings.TrimSpace(line)) {
			t.Errorf("it does not show the example %q", line)
		}
	}
}

func TestManualPagesNeedADirectory(t *testing.T) {
	runLine(t.Context(), "man").check(t, exitUsage)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := runLine(t.Context(), "man", file)
	got.check(t, exitFailure)
	if !strings.Contains(got.stderr, "not a directory") {
		t.Errorf("it does not say why: %s", got.stderr)
	}
}
