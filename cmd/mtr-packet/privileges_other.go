//go:build !linux

package main

// dropPrivileges does nothing: what a process may give up and keep is not known
// here, and sockets are opened when the first probe needs them.
func dropPrivileges() error { return nil }
