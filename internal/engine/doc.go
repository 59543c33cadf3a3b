// Package engine matches replies to probes, and decides when a probe is silent.
//
// An [Engine] has one socket or, for UDP, TCP and SCTP, the few sockets that belong
// together (its [Medium]); a [Pool] has as many engines as it needs. Any number of
// operations ([Op]) send probes through it and collect their outcomes. A table of
// fixed-size slots, indexed by sequence number, holds the probes in flight. It is a
// state machine without clock, locks or I/O, so that a test can drive it through
// millions of random events. One goroutine reads the socket; the callers' goroutines
// send.
//
// # Division of work
//
//	Send      takes a sequence number, writes its slot, gives the packet to the kernel
//	read      matches messages, expires overdue probes, hands outcomes to their Op
//	Op.Take   collects outcomes, when Op.Ready reports some
//
// A probe is silent only if its deadline has passed and the socket's queue has been
// empty since. A reply that waits in the queue, because this process had no time to
// read it, therefore never counts as a loss.
package engine
