package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAListHasOneTargetPerLine(t *testing.T) {
	for _, tt := range []struct {
		name string
		list string
		want []string
	}{
		{"lines", "10.0.0.1\nwww.example\n", []string{"10.0.0.1", "www.example"}},
		{"a last line without an end", "10.0.0.1\n10.0.0.2", []string{"10.0.0.1", "10.0.0.2"}},
		{"blanks and empty lines", "\n  10.0.0.1\t\n\n \n10.0.0.2 \n", []string{"10.0.0.1", "10.0.0.2"}},
		{"comments", "# routers\n10.0.0.1 # the first\n#10.0.0.9\n10.0.0.2#the second\n", []string{"10.0.0.1", "10.0.0.2"}},
		{"the line ends of Windows, and its byte order mark", "\ufeff10.0.0.1\r\n10.0.0.2\r\n", []string{"10.0.0.1", "10.0.0.2"}},
		{"prefixes and ranges", "10.0.0.0/30\n10.0.1.1-2\n", []string{"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := targetReader{stdin: strings.NewReader(tt.list)}
			if err := r.read(nil, []string{"-"}); err != nil {
				t.Fatal(err)
			}
			if got := slices.Collect(r.seq(order{shards: 1})); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWordsComeBeforeListsInTheirOrder(t *testing.T) {
	first, second := writeList(t, "10.0.0.2\n"), writeList(t, "10.0.0.4\n")
	r := targetReader{stdin: strings.NewReader("10.0.0.3\n")}
	if err := r.read([]string{"10.0.0.1"}, []string{first, "-", second}); err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}
	if got := slices.Collect(r.seq(order{shards: 1})); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// writeList makes a file.
func writeList(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hosts.txt")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestABadListIsRefused(t *testing.T) {
	bad := writeList(t, "10.0.0.1\n\n# a comment\n10.0.0.0/33\n")
	empty := writeList(t, "# nothing\n")
	for _, tt := range []struct {
		name  string
		words []string
		files []string
		stdin io.Reader
		says  []string
	}{
		{"a malformed prefix", nil, []string{bad}, nil, []string{"--file " + bad + ", line 4", `"10.0.0.0/33"`, "0 to 32 bits"}},
		{"a malformed range on standard input", nil, []string{"-"}, strings.NewReader("10.0.0.9-1\n"), []string{"--file standard input, line 1", `"10.0.0.9-1"`, "from the lower address"}},
		{"two targets on a line", nil, []string{"-"}, strings.NewReader("a b\n"), []string{"line 1", `"a b"`, "one name, address"}},
		{"a line without end", nil, []string{"-"}, strings.NewReader("a\n" + strings.Repeat("x", 1<<17)), []string{"line 2", "too long"}},
		{"too much", []string{"::/0"}, []string{"-"}, strings.NewReader("a\n"), []string{"line 1", "2^128"}},
		{"a malformed word", []string{"10.0.0.0/33"}, nil, nil, []string{"TARGET", `"10.0.0.0/33"`, "0 to 32 bits"}},
		{"nothing in it", nil, []string{empty, "-"}, strings.NewReader(""), []string{"no target", empty + ", standard input", "are allowed"}},
		{"no such file", nil, []string{"/nosuch/file"}, nil, []string{`--file "/nosuch/file"`, "no such file", "is allowed"}},
		{"a directory", nil, []string{t.TempDir()}, nil, []string{"--file", "directory", "is allowed"}},
		{"a list that cannot be read to its end", nil, []string{"-"}, iotest.ErrReader(errors.New("torn off")), []string{"standard input", "torn off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := targetReader{stdin: tt.stdin}
			err := r.read(tt.words, tt.files)
			if err == nil {
				t.Fatalf("it is taken for %v", r.spans)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message does not say %q: %v", want, err)
				}
			}
			if code := exitCode(err); code != exitUsage {
				t.Errorf("the exit code is %d", code)
			}
		})
	}
}

func FuzzList(f *testing.F) {
	f.Add("10.0.0.1\n# x\nwww.example # y\r\n10.0.0.0/24")
	f.Add("\ufeff::/0\n::1\n")
	f.Add("10.0.0.1-\n")
	f.Fuzz(func(t *testing.T, text string) {
		var r targetReader
		err := r.list(strings.NewReader(text), "list")
		if err != nil && !strings.Contains(err.Error(), "--file list, line ") {
			t.Errorf("the message does not say where: %v", err)
		}
		if len(r.spans) > strings.Count(text, "\n")+1 {
			t.Errorf("%d targets in %q", len(r.spans), text)
		}
	})
}
