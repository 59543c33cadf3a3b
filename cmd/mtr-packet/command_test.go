package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

func TestCommandsAreReadByWords(t *testing.T) {
	for _, tt := range []struct {
		name string
		line string
		want command
		ok   bool
	}{
		{"a token and a command", "42 send-probe", command{42, "send-probe", nil}, true},
		{"arguments by name", "1 send-probe ip-4 127.0.0.1 ttl 3", command{1, "send-probe", []argument{{"ip-4", "127.0.0.1"}, {"ttl", "3"}}}, true},
		{"more blanks than needed", "  7   check-support \t feature  udp ", command{7, "check-support", []argument{{"feature", "udp"}}}, true},
		{"a token that is no number is 0", "xx send-probe", command{0, "send-probe", nil}, true},
		{"a token that begins with a number is that", "12ab send-probe", command{12, "send-probe", nil}, true},
		{"a negative token", "-3 send-probe", command{-3, "send-probe", nil}, true},
		{"no command", "42", command{}, false},
		{"nothing", "", command{}, false},
		{"an argument without its value", "1 send-probe ip-4", command{}, false},
		{"too many arguments", "1 send-probe" + strings.Repeat(" a b", 17), command{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseCommand(tt.line)
			if ok != tt.ok || ok && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

func TestArgumentsShapeTheProbe(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	for _, tt := range []struct {
		name      string
		arguments string
		want      icmplib.ProbeOptions
	}{
		{"the defaults", "", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Size: 36}}},
		{"the size is that of the IP packet", "size 128", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Size: 100}}},
		{"a size below the headers' is raised", "size 1", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Size: -1}}},
		{"a pattern", "size 32 bit-pattern 170", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Payload: []byte{170, 170, 170, 170}}}},
		{"all the rest", "ttl 3 timeout 2 tos 16 mark 5 local-ip-4 127.0.0.1 local-device lo protocol udp port 53 local-port 4000",
			icmplib.ProbeOptions{Timeout: 2 * time.Second, Packet: icmplib.Packet{
				TTL: 3, TrafficClass: 16, Mark: 5, Source: local, Interface: "lo", Protocol: icmplib.UDP, Port: 53, SourcePort: 4000, Size: 36}}},
		{"TCP has no payload", "protocol tcp size 500", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Protocol: icmplib.TCP}}},
		{"a port means nothing to ICMP", "port 80 local-port 5000", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Size: 36}}},
		{"what is unknown is passed over", "colour blue", icmplib.ProbeOptions{Timeout: 10 * time.Second, Packet: icmplib.Packet{TTL: 255, Size: 36}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := parseCommand("1 send-probe ip-4 127.0.0.1 " + tt.arguments)
			r, err := parseRequest(&c)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r.options, tt.want) {
				t.Errorf("got  %+v\nwant %+v", r.options, tt.want)
			}
		})
	}
}

func TestArgumentsThatCannotBeAreRefused(t *testing.T) {
	for _, arguments := range []string{
		"", "ip-4 localhost", "ip-4 ::1", "ip-6 127.0.0.1", "ip-4 127.0.0.1 ttl 0", "ip-4 127.0.0.1 ttl 256", "ip-4 127.0.0.1 ttl x",
		"ip-4 127.0.0.1 timeout 1.5", "ip-4 127.0.0.1 timeout -1", "ip-4 127.0.0.1 size 9001", "ip-4 127.0.0.1 bit-pattern 300",
		"ip-4 127.0.0.1 tos 256", "ip-4 127.0.0.1 protocol igmp", "ip-4 127.0.0.1 port 65536", "ip-4 127.0.0.1 local-port 80",
		"ip-4 127.0.0.1 local-ip-4 ::1", "ip-4 127.0.0.1 mark -1",
	} {
		c, _ := parseCommand("1 send-probe " + arguments)
		if _, err := parseRequest(&c); err == nil {
			t.Errorf("%q is accepted", arguments)
		}
	}
}

func TestALineThatIsTooLongCostsNoLaterOne(t *testing.T) {
	in := strings.Repeat("x", maxLine) + "\n" + strings.Repeat("y", maxLine+1) + "\n" + strings.Repeat("z", 1<<20) + "\nlast\nnot a line"
	for _, piece := range []int{1, 100, 4096, 4097, 4098, 5000, len(in)} {
		var lines lines
		var got []string
		for part := range slices.Chunk([]byte(in), piece) {
			for lines.add(part); ; {
				line, err := lines.next()
				if err == errTooLong {
					got = append(got, "too long")
					continue
				}
				if err != nil {
					break
				}
				got = append(got, fmt.Sprintf("%.4s:%d", line, len(line)))
			}
			if len(lines.rest) > maxLine+piece {
				t.Fatalf("in pieces of %d: %d bytes are kept", piece, len(lines.rest))
			}
		}
		if want := []string{"xxxx:4096", "too long", "too long", "last:4"}; !reflect.DeepEqual(got, want) {
			t.Errorf("in pieces of %d: got %v, want %v", piece, got, want)
		}
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte("1 check-support feature send-probe\n2 bogus\n\n\x00\xff\n3 send-probe\n"))
	f.Add(bytes.Repeat([]byte("a"), 5000))
	f.Fuzz(func(t *testing.T, input []byte) {
		if bytes.Contains(input, []byte("ip-")) || bytes.Contains(input, []byte("feature")) {
			return // nothing is to be sent, and no socket opened
		}
		var out bytes.Buffer
		input = append(input, "\n77 no-such-command\n"...)
		if err := serve(bytes.NewReader(input), &out); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), "77 unknown-command\n") {
			t.Fatalf("the last command is not answered: %q", out.String())
		}
	})
}

func parseCommand(line string) (c command, ok bool) {
	ok = c.parse(line)
	return c, ok
}

func parseRequest(c *command) (*request, error) {
	r := new(request)
	return r, r.parse(c)
}

func TestACommandKeepsNothingOfTheOneBefore(t *testing.T) {
	var c command
	var r request
	if !c.parse("1 send-probe ip-4 127.0.0.1 tos 7 bit-pattern 3") || r.parse(&c) != nil {
		t.Fatal("it is refused")
	}
	if !c.parse("2 send-probe ip-6 ::1") || r.parse(&c) != nil {
		t.Fatal("it is refused")
	}
	want, _ := parseCommand("2 send-probe ip-6 ::1")
	fresh, _ := parseRequest(&want)
	if !reflect.DeepEqual(c, want) || !reflect.DeepEqual(&r, fresh) {
		t.Errorf("%+v and %+v, want %+v and %+v", c, r, want, fresh)
	}
}
