// Package sys is the one place where system calls are made. It gives a batch
// of datagrams in and out of a socket, with their control messages decoded,
// and knows nothing of what the datagrams mean.
//
// Sockets are here for Linux, and for Windows the IP Helper API; those of
// macOS and the BSDs are of package net, with the options of the system.
package sys
