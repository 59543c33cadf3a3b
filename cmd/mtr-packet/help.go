package main

import "slices"

// help is for who starts the program to see what it is. Programs give it no
// arguments, and others than these are passed over.
const help = `Usage: mtr-packet

Sends probes for mtr and other programs: one command a line on standard input,
one answer a line on standard output, in the words of mtr-packet(8). It takes no
flags but --help, works without privileges where the system allows it, and ends
with its input.

Commands:
  TOKEN check-support feature FEATURE
  TOKEN send-probe ip-4 ADDRESS | ip-6 ADDRESS [NAME VALUE]...

Examples:
  MTR_PACKET=mtr-packet mtr --report 127.0.0.1
  echo "1 send-probe ip-4 127.0.0.1" | mtr-packet
  echo "1 send-probe ip-4 127.0.0.1 protocol udp ttl 1" | mtr-packet
  echo "1 check-support feature udp" | mtr-packet
`

// wantsHelp tells whether a command line asks for it.
func wantsHelp(args []string) bool {
	return slices.Contains(args, "--help") || slices.Contains(args, "-h")
}
