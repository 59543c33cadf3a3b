// Package sys is the only package that makes system calls. It sends and receives
// batches of datagrams, with their control messages decoded, and does not interpret
// the datagrams.
//
// It has the sockets of Linux, and the IP Helper API of Windows. The sockets of macOS
// and the BSDs come from package net, with the options of the system.
package sys
