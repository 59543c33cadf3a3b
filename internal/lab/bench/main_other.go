//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it measures in a network namespace, which only Linux has")
	os.Exit(1)
}
