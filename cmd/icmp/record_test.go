package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// capturedPackets returns the type of each block of a file, from the file's own
// lengths, and the packets' directions: 'o' and 'i'.
func capturedPackets(t *testing.T, file string) (directions string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; len(b) >= 12; i++ {
		kind, n := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint32(b[4:]))
		if n > len(b) || binary.LittleEndian.Uint32(b[n-4:]) != uint32(n) {
			t.Fatalf("block %d is broken", i)
		}
		if kind == 6 {
			length := int(binary.LittleEndian.Uint32(b[20:]))
			options := b[28+(length+3)&^3:]
			directions += map[uint32]string{1: "i", 2: "o"}[binary.LittleEndian.Uint32(options[4:])]
		}
		b = b[n:]
	}
	if len(b) > 0 {
		t.Fatalf("%d bytes are behind the last block", len(b))
	}
	return directions
}

func TestEveryCommandRecords(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	netlab.Test(t, netlab.Config{PingGroups: true, Setup: carry, Tries: 3}, func(t *testing.T) {
		for _, line := range []string{
			"ping -c 2 -i 0.01 10.0.9.9", "multiping -c 1 10.0.9.9 2001:db8:9::9", "probe -t 2 10.0.9.9", "probe -U 2001:db8:9::9",
			"traceroute -n -q 1 10.0.9.9", "traceroute -n -q 1 10.0.9.9 10.0.15.1", "traceroute --mtu -n 10.0.9.9", "mtr --report -n -c 1 10.0.9.9",
		} {
			file := filepath.Join(t.TempDir(), "x.pcapng")
			got := runLine(t.Context(), append(strings.Fields(line), "--record", file)...)
			if got.code > exitDead {
				t.Fatalf("%s: %s", line, got.stderr)
			}
			directions := capturedPackets(t, file)
			if !strings.HasPrefix(directions, "o") || strings.Count(directions, "i") == 0 || strings.Count(directions, "i") > strings.Count(directions, "o") {
				t.Errorf("%s: recorded are %q", line, directions)
			}
		}
	})
}

// tshark is Wireshark's own reader.
func TestTsharkReadsARecord(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: Debian has it in the package tshark")
	}
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	for _, tt := range []struct{ mode, target, router, request, reply, expired string }{
		{"raw", "10.0.9.9", "10.0.2.1", "8", "0", "11,8"},
		{"datagram", "10.0.9.9", "10.0.2.1", "8", "0", "11,8"},
		{"raw", "2001:db8:9::9", "2001:db8:2::1", "128", "129", "3,128"},
		{"datagram", "2001:db8:9::9", "2001:db8:2::1", "128", "129", "3,128"},
	} {
		t.Run(tt.mode+" "+tt.target, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Setup: carry, Tries: 3}, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "x.pcapng")
				for _, ttl := range []string{"64", "2"} {
					runLine(t.Context(), "probe", "-n", "--mode", tt.mode, "-t", ttl, tt.target, "--record", file+ttl)
				}
				family, protocol := "ip", "icmp"
				if strings.Contains(tt.target, ":") {
					family, protocol = "ipv6", "icmpv6"
				}
				for ttl, want := range map[string][2]string{"64": {tt.target, tt.reply}, "2": {tt.router, tt.expired}} {
					out, err := exec.Command(tshark, "-r", file+ttl, "-T", "fields", "-e", family+".src", "-e", family+".dst",
						"-e", protocol+".type", "-e", protocol+".checksum.status", "-e", "frame.comment").Output()
					if err != nil {
						t.Fatal(err)
					}
					lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
					if len(lines) != 2 {
						t.Fatalf("tshark reads\n%s", out)
					}
					sent, came := strings.Split(lines[0], "\t"), strings.Split(lines[1], "\t")
					if !strings.HasPrefix(sent[1], tt.target) || sent[2] != tt.request || !strings.HasPrefix(sent[3], "1") || !strings.HasPrefix(sent[4], "probe ") {
						t.Errorf("it was sent %q", sent)
					}
					if !strings.HasPrefix(came[0], want[0]) || came[2] != want[1] || !strings.HasPrefix(came[3], "1") || !strings.Contains(came[4], "all that it brings back is that of the probe") {
						t.Errorf("it was answered %q, want %q", came, want)
					}
				}
			})
		})
	}
}

func TestARecordThatCannotBeWritten(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "-c", "1", "127.0.0.1", "--record", "/nosuch/file")
		if got.code == exitAlive || !strings.Contains(got.stderr, "--record: open /nosuch/file: ") {
			t.Errorf("%d: %s", got.code, got.stderr)
		}
		got = runLine(t.Context(), "ping", "-c", "1", "127.0.0.1", "--record", "/dev/full")
		if got.code != exitFailure || !strings.Contains(got.stderr, "--record: write /dev/full: ") {
			t.Errorf("%d: %s", got.code, got.stderr)
		}
	})
}
