// Package waiting holds what the calls that receive have in common, whatever
// the socket: a deadline that a context can anticipate, and the mark up to which
// all is received.
package waiting
