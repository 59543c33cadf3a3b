// Package live shows routes on a terminal while they are watched.
//
// A [Model] is what is shown: snapshots and keys go in, and a screen of any size
// comes out as text. It knows no terminal and no clock. [Run] joins one with a
// terminal, and with what watches the targets.
package live
