package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// besideNetwork has a target for each that probes, all alike: 30 ms away, behind a router
// that says nothing, and without an answer to the second packet.
func besideNetwork() string {
	var b strings.Builder
	b.WriteString("client 192.0.2.1\nnode r1 10.0.1.1 delay=10ms\nnode dark 10.0.2.1 silent\n")
	for i := range 8 {
		fmt.Fprintf(&b, "node t%d 10.0.%d.9 delay=20ms lose@2\n", i, 10+i)
		fmt.Fprintf(&b, "path 10.0.%d.0/24 r1 dark t%d\n", 10+i, i)
	}
	b.WriteString("node near 10.0.20.9 delay=20ms\npath 10.0.20.0/24 r1 dark near\n")
	return b.String()
}

// The round trips that no tool can undercut, whatever the load.
const (
	besideRouter = 20.0 // ms
	besideTarget = 60.0
)

// What people use counts the same packets in the same place, and no time is shorter than the
// path. Intervals of time (-Q of fping) are left out: what falls into one is chance.
func TestTheSameFiguresAsOtherTools(t *testing.T) {
	for _, tt := range []struct {
		name   string
		theirs string
		ours   string
		read   func(output string) (figures []string, times []float64)
		want   []string
		least  func(i int) float64 // of the times
	}{
		{"ping", "ping -n -c 4 -i 0.2 -W 2 10.0.10.9", "ping -n -c 4 -i 0.2 -W 2 10.0.11.9", readPing,
			[]string{"4", "3", "25%", "0", "2", "3"}, always(besideTarget)},
		{"fping, all round-trip times and the outage", "fping -C 4 -o -q -p 200 -t 2000 10.0.12.9",
			"multiping -C 4 -o -q -p 200ms -t 2s 10.0.13.9", readColumns, []string{"+", "-", "+", "+"}, always(besideTarget)},
		{"fping, the sums and the outage", "fping -c 4 -o -q -p 200 -t 2000 10.0.14.9",
			"multiping -C 4 -o -q -p 200ms -t 2s 10.0.15.9", readSums, []string{"4", "3", "200"}, nil},
		{"traceroute", "traceroute -n -I -q 2 -w 2 10.0.20.9", "traceroute -n -q 2 -w 2 10.0.20.9", readTrace,
			[]string{"10.0.1.1 2", "silent", "10.0.20.9 2"}, func(i int) float64 {
				if i < 2 {
					return besideRouter
				}
				return besideTarget
			}},
		{"mtr", "mtr -n -r -c 3 -i 0.2 -Z 2 -G 2 10.0.20.9", "mtr -n -r -c 3 -i 0.2 -Z 2 10.0.20.9", readMTR,
			[]string{"10.0.1.1 0.0% 3", "??? 100% 3", "10.0.20.9 0.0% 3"}, func(i int) float64 {
				return []float64{besideRouter, 0, besideTarget}[i]
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(tt.theirs)
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Skipf("%s is not installed", words[0])
			}
			netlab.Test(t, netlab.Config{Tries: 3, // what others wait for passes in real time
				Setup: func(t *testing.T) { netlab.Carry(t, netsim.MustParse(besideNetwork()), netlab.Device{}) },
			}, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
				cmd.Env = append(cmd.Environ(), "LC_ALL=C")
				theirs, err := cmd.CombinedOutput()
				if err != nil && cmd.ProcessState == nil {
					t.Fatal(err)
				}
				own := runLine(t.Context(), strings.Fields(tt.ours)...)
				for who, output := range map[string]string{words[0]: string(theirs), "icmp": own.stdout + own.stderr} {
					figures, times := tt.read(output)
					if !slices.Equal(figures, tt.want) {
						t.Errorf("%s counts %q, want %q:\n%s", who, figures, tt.want, output)
						continue
					}
					for i, ms := range times {
						if ms < tt.least(i) {
							t.Errorf("%s: %g ms are less than the path:\n%s", who, ms, output)
						}
					}
				}
			})
		})
	}
}

func always(ms float64) func(int) float64 { return func(int) float64 { return ms } }

var (
	pingLine    = regexp.MustCompile(`(?:icmp_)?seq=(\d+) .*time=([0-9.]+) ms`)
	pingSummary = regexp.MustCompile(`(\d+) (?:packets transmitted|sent), (\d+) received, ([0-9.]+%)`)
	fpingSums   = regexp.MustCompile(`= (\d+)/(\d+)/25%`)
	outageOf    = regexp.MustCompile(`outage(?:\(ms\) =)? (\d+)`)
	aTime       = regexp.MustCompile(`([0-9.]+) ms`)
)

// readPing reads the summary, the numbers of the replies, of which the first is 0, and their
// times.
func readPing(output string) (figures []string, times []float64) {
	if m := pingSummary.FindStringSubmatch(output); m != nil {
		figures = m[1:]
	}
	lines := pingLine.FindAllStringSubmatch(output, -1)
	if len(lines) == 0 {
		return figures, nil
	}
	first := millis(lines[0][1])
	for _, m := range lines {
		figures = append(figures, strconv.Itoa(int(millis(m[1])-first)))
		times = append(times, millis(m[2]))
	}
	return figures, times
}

// readColumns reads a line of round-trip times.
func readColumns(output string) (figures []string, times []float64) {
	_, cells, _ := strings.Cut(output, " : ")
	cells, _, _ = strings.Cut(cells, ", outage")
	for cell := range strings.FieldsSeq(cells) {
		if cell == "-" {
			figures = append(figures, cell)
			continue
		}
		figures = append(figures, "+")
		times = append(times, millis(cell))
	}
	return figures, times
}

// readSums reads or counts what was sent and received, and reads the outage.
func readSums(output string) (figures []string, _ []float64) {
	if m := fpingSums.FindStringSubmatch(output); m != nil {
		figures = m[1:]
	} else {
		cells, times := readColumns(output)
		figures = []string{strconv.Itoa(len(cells)), strconv.Itoa(len(times))}
	}
	if m := outageOf.FindStringSubmatch(output); m != nil {
		figures = append(figures, m[1])
	}
	return figures, nil
}

// readTrace reads who answers how often at each hop, and the times.
func readTrace(output string) (figures []string, times []float64) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != strconv.Itoa(len(figures)+1) {
			continue
		}
		line, _, _ = strings.Cut(line, ", jitter")
		all := aTime.FindAllStringSubmatch(line, -1)
		if len(all) == 0 {
			figures = append(figures, "silent")
			continue
		}
		figures = append(figures, fmt.Sprintf("%s %d", words[1], len(all)))
		for _, m := range all {
			times = append(times, millis(m[1]))
		}
	}
	return figures, times
}

// readMTR reads the loss and the probes of each hop, and its best time.
func readMTR(output string) (figures []string, times []float64) {
	for line := range strings.Lines(output) {
		_, hop, ok := strings.Cut(line, ".|-- ")
		words := strings.Fields(hop)
		if !ok || len(words) < 8 {
			continue
		}
		loss := strings.Replace(strings.TrimSuffix(words[1], "%"), "100.0", "100", 1) + "%"
		figures = append(figures, strings.Join([]string{words[0], loss, words[2]}, " "))
		times = append(times, millis(words[5]))
	}
	return figures, times
}

func millis(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}
