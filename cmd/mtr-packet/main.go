// Mtr-packet sends probes for mtr and other programs that speak its protocol: one
// command per line on standard input, one answer per line on standard output. It replaces
// the program of that name that comes with mtr:
//
//	MTR_PACKET=$(go env GOPATH)/bin/mtr-packet mtr --report 192.0.2.1
//
// The commands and words are those of the manual page mtr-packet(8).
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
)

func main() {
	if wantsHelp(os.Args[1:]) {
		fmt.Print(help)
		return
	}
	if err := dropPrivileges(); err != nil {
		fmt.Fprintln(os.Stderr, "mtr-packet:", err)
		os.Exit(1)
	}
	if err := serve(input(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mtr-packet:", err)
		os.Exit(1)
	}
}

// input is standard input, where it is a pipe in a form that one can wait for
// together with sockets. It is opened again for that: what others have of the pipe
// stays as it is.
func input() io.Reader {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return os.Stdin
	}
	pipe, err := os.OpenFile("/proc/self/fd/0", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return os.Stdin
	}
	return pipe
}

// help is for those who start the program to see what it is. Programs give it no
// arguments, and others than these are passed over.
const help = `Usage: mtr-packet

Sends probes for mtr and other programs. Reads one command per line from standard
input and writes one answer per line to standard output, in the protocol of
mtr-packet(8). Its only flag is --help. No privileges are needed where the system
allows it. It exits at the end of its input.

Commands:
  TOKEN check-support feature FEATURE
  TOKEN send-probe ip-4 ADDRESS | ip-6 ADDRESS [NAME VALUE]...

Examples:
  MTR_PACKET=mtr-packet mtr --report 127.0.0.1
  echo "1 send-probe ip-4 127.0.0.1" | mtr-packet
  echo "1 send-probe ip-4 127.0.0.1 protocol udp ttl 1" | mtr-packet
  echo "1 check-support feature udp" | mtr-packet
`

// wantsHelp reports whether a command line asks for it.
func wantsHelp(args []string) bool {
	return slices.Contains(args, "--help") || slices.Contains(args, "-h")
}
