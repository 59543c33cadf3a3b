//go:build !linux

package netlab_test

func datagramOpen() bool { return false }
