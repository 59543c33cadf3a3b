package main

import (
	"context"
	"errors"
	"io"
	"iter"
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
			for _, shuffle := range []bool{false, true} {
				l := &targetList{stdin: strings.NewReader(tt.list), order: order{shards: 1, shuffle: shuffle}}
				if err := l.open(t.Context(), nil, []string{"-"}); err != nil {
					t.Fatal(err)
				}
				got, want := drawn(t, l), tt.want
				if shuffle {
					got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
				}
				if !slices.Equal(got, want) || l.err != nil {
					t.Errorf("shuffled %v: got %q and %v, want %q", shuffle, got, l.err, want)
				}
			}
		})
	}
}

func TestWordsComeBeforeListsInTheirOrder(t *testing.T) {
	first, second := writeList(t, "10.0.0.2\n"), writeList(t, "10.0.0.4\n")
	l := &targetList{stdin: strings.NewReader("10.0.0.3\n"), order: order{shards: 1}}
	if err := l.open(t.Context(), []string{"10.0.0.1"}, []string{first, "-", second}); err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}
	if got := drawn(t, l); !slices.Equal(got, want) {
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
	for _, tt := range []struct {
		name  string
		words []string
		files []string
		stdin io.Reader
		says  []string
	}{
		{"a malformed prefix", nil, []string{bad}, nil, []string{"--file " + bad + ", line 4", `"10.0.0.0/33"`, "0 to 32 bits"}},
		{"a malformed range on standard input", nil, []string{"-"}, strings.NewReader("10.0.0.9-1\n"), []string{"--file standard input, line 1", `"10.0.0.9-1"`, "from low to high"}},
		{"two targets on a line", nil, []string{"-"}, strings.NewReader("a b\n"), []string{"line 1", `"a b"`, "one name, address"}},
		{"a line without end", nil, []string{"-"}, strings.NewReader("a\n" + strings.Repeat("x", 1<<17)), []string{"line 2", "too long"}},
		{"a malformed word", []string{"10.0.0.0/33"}, nil, nil, []string{"TARGET", `"10.0.0.0/33"`, "0 to 32 bits"}},
		{"no such file", nil, []string{"/nosuch/file"}, nil, []string{`--file "/nosuch/file"`, "no such file", "is allowed"}},
		{"a directory", nil, []string{t.TempDir()}, nil, []string{"--file", "directory", "is allowed"}},
		{"a list that cannot be read to its end", nil, []string{"-"}, iotest.ErrReader(errors.New("torn off")), []string{"standard input", "torn off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &targetList{stdin: tt.stdin, order: order{shards: 1}}
			err := l.open(t.Context(), tt.words, tt.files)
			if tt.stdin == nil && err == nil {
				t.Fatal("it is not checked before anything is sent")
			}
			if err == nil {
				drawn(t, l)
				err = l.err
			}
			if err == nil {
				t.Fatal("it is taken")
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

func TestAFileIsCountedAndAPipeIsNot(t *testing.T) {
	file := writeList(t, "10.0.0.0/24\nwww.example\n")
	for _, tt := range []struct {
		name  string
		files []string
		order order
		want  int64
	}{
		{"a file", []string{file}, order{shards: 1}, 255},
		{"a share of it", []string{file}, order{shard: 1, shards: 2}, 127},
		{"a file and a pipe", []string{file, "-"}, order{shards: 1}, -1},
		{"a pipe that is read whole, to be shuffled", []string{"-"}, order{shards: 1, shuffle: true}, 2},
		{"an empty file", []string{writeList(t, "# nothing\n")}, order{shards: 1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &targetList{stdin: strings.NewReader("10.0.0.1\n10.0.0.2\n"), order: tt.order}
			if err := l.open(t.Context(), nil, tt.files); err != nil {
				t.Fatal(err)
			}
			if got := l.count(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// A target of a pipe is drawn before the next line is written, and a line that
// cannot be meant spoils none before it.
func TestAPipeIsDrawnLineByLine(t *testing.T) {
	in, out := io.Pipe()
	l := &targetList{stdin: in, order: order{shards: 1}}
	if err := l.open(t.Context(), nil, []string{"-"}); err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull(l.seq(t.Context()))
	defer stop()
	for _, line := range []string{"10.0.0.1", "www.example"} {
		go io.WriteString(out, line+"\n")
		if got, ok := next(); got != line || !ok {
			t.Fatalf("got %q, %v, want %q", got, ok, line)
		}
	}
	go io.WriteString(out, "10.0.0.0/33\n")
	if got, ok := next(); ok || l.err == nil || !strings.Contains(l.err.Error(), "line 3") {
		t.Errorf("after a bad line: %q, %v", got, l.err)
	}
}

func TestWhoIsTiredOfAPipeInterrupts(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := &targetList{stdin: in, order: order{shards: 1}}
	if err := l.open(ctx, nil, []string{"-"}); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(out, "10.0.0.1\n")
	for range l.seq(ctx) {
		cancel()
	}
	if l.err != errInterrupted {
		t.Errorf("the drawing ended with %v", l.err)
	}
}

// An interrupt while the list is awaited is no end of the list, in any command: it is
// not said that all targets answered, or that there are none.
func TestAnInterruptWhileAListIsAwaited(t *testing.T) {
	for _, line := range []string{
		"multiping", "multiping --json", "multiping --loop", "traceroute --file -", "traceroute --json --file -", "mtr --report --file -",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		in, out := io.Pipe()
		first := make(chan struct{}, 1)
		waits := readerFunc(func(b []byte) (int, error) {
			select {
			case first <- struct{}{}: // the list is being read, and nothing is in it yet
				cancel()
			default:
			}
			return in.Read(b)
		})
		var stdout, stderr strings.Builder
		code := run(ctx, strings.Fields(line), waits, &stdout, &stderr)
		command{code, stdout.String(), stderr.String()}.check(t, exitDead)
		if strings.Contains(stderr.String(), "no target") {
			t.Errorf("%s: %s", line, &stderr)
		}
		out.Close()
	}
}

type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func FuzzList(f *testing.F) {
	f.Add("10.0.0.1\n# x\nwww.example # y\r\n10.0.0.0/24")
	f.Add("\ufeff::/0\n::1\n")
	f.Add("10.0.0.1-\n")
	f.Add("::ffff:0.0.0.0/80\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for _, err := range spansOf(strings.NewReader(text), "list", false) {
			if err != nil && !strings.Contains(err.Error(), "--file list, line ") {
				t.Errorf("the message does not say where: %v", err)
			}
			n++
		}
		if n > strings.Count(text, "\n")+1 {
			t.Errorf("%d targets in %q", n, text)
		}
	})
}
