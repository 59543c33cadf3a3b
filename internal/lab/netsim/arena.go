package netsim

const (
	chunkSize = 64 << 10
	maxPacket = 65535
)

// arena hands out memory for packets that outlive the call that made them: one
// allocation for many. The garbage collector takes a chunk when none of its
// packets is in use any more.
type arena struct{ free []byte }

// take returns size bytes that hold anything.
func (a *arena) take(size int) []byte {
	if size > chunkSize/4 {
		return make([]byte, size)
	}
	if size > len(a.free) {
		a.free = make([]byte, chunkSize)
	}
	b := a.free[:size:size]
	a.free = a.free[size:]
	return b
}

// clone returns a copy of b.
func (a *arena) clone(b []byte) []byte {
	c := a.take(len(b))
	copy(c, b)
	return c
}
