// Mtr-packet sends probes for mtr, and for whatever else speaks its protocol:
// one command a line on standard input, one answer a line on standard output.
// It takes the place of the program of that name which comes with mtr:
//
//	MTR_PACKET=$(go env GOPATH)/bin/mtr-packet mtr --report 192.0.2.1
//
// The commands and words are those of the manual page mtr-packet(8).
package main

import (
	"fmt"
	"os"
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
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mtr-packet:", err)
		os.Exit(1)
	}
}
