package wire

import "crypto/rand"

// NewID returns an id that nobody can guess.
func NewID() string { return rand.Text() }
