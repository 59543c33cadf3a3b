package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/icmptest"
)

// stored writes the file of one shard, which saw a host at some distance.
func stored(t *testing.T, delay string, hosts ...string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "shard.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p := icmptest.NewProber(t, "client 192.0.2.1\nnode web 198.51.100.7 lose@3 delay="+delay+"\npath 198.51.100.7/32 web", nil)
		if err := store(t.Context(), p, slices.Values(hosts), file); err != nil {
			t.Error(err)
		}
	})
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func TestShardsAddUp(t *testing.T) {
	near, far := stored(t, "10ms", "web", "no..name"), stored(t, "30ms", "web")
	var out strings.Builder
	if err := merge([]string{near, near, far}, &out); err != nil {
		t.Fatal(err)
	}
	// Of 27 answers 18 took 20 ms and 9 took 60 ms.
	const want = "no..name: nothing was sent\nweb: 30 sent, 10.0 % lost, median 20ms, 95 % within 60ms\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestAFileThatIsNoneOfItsOwnIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.jsonl")
	if err := os.WriteFile(file, []byte("{\"name\":\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := merge([]string{file}, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "other.jsonl: ") {
		t.Errorf("got %v", err)
	}
	if err := merge([]string{file + "2"}, new(strings.Builder)); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
