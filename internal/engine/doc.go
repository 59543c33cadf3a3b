// Package engine knows which probe a reply belongs to, and when a probe has
// been silent for too long.
//
// An [Engine] has one socket, or for UDP, TCP and SCTP those few that belong
// together (its [Medium]); a [Pool] has as many engines as it needs. Any number of
// operations ([Op]) send probes through it and collect their outcomes. What is in
// flight stands in a table of fixed-size slots, indexed by sequence number; it is
// a state machine without clock, locks or I/O, so that it can be driven through
// millions of random events in a test. Around it run one goroutine that reads the
// socket, and the goroutines that send.
//
// # Division of work
//
//	Send      takes a sequence number, writes its slot, gives the packet to the kernel
//	read      matches what arrives, expires what is overdue, hands outcomes to their Op
//	Op.Take   collects outcomes, when Op.Ready says that there are some
//
// A probe is silent only when its deadline has passed and the socket's queue
// has been seen empty since: a reply that waits there because this process had
// no time to read it is never taken for a loss.
package engine
