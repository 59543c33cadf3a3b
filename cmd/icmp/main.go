// Command icmp asks hosts whether they are there: ping and its relatives over
// package icmplib. Run it with --help.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := signals(context.Background())
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
