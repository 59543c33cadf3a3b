// Package live shows routes on a terminal while they are watched.
//
// A [Model] takes snapshots and keys, and renders a screen of any size as text. It
// knows no terminal and no clock. [Run] connects it to a terminal and to the Monitors of
// the targets.
package live
