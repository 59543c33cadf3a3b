package icmplib

// monitorTag says which probe of a Monitor an outcome is about.
type monitorTag struct {
	index   int // of the hop
	round   int // from 1
	ordinal int // among the probes to that hop, from 0
}

// roundBits is how much of a round's number, and of an ordinal, a tag holds. The
// rest follows from the present round: no probe is nearly as old.
const roundBits = 28

func (t monitorTag) pack() uint64 {
	const mask = 1<<roundBits - 1
	return uint64(t.index)<<(2*roundBits) | uint64(t.round&mask)<<roundBits | uint64(t.ordinal&mask)
}

// unpackMonitorTag is the inverse of pack, in the present round.
func unpackMonitorTag(tag uint64, round int) monitorTag {
	t := monitorTag{index: int(tag >> (2 * roundBits))}
	t.round = lastWithBits(int(tag>>roundBits), round)
	t.ordinal = lastWithBits(int(tag), round) // a hop gets no more probes than there are rounds
	return t
}

// lastWithBits returns the greatest number up to limit that ends with the bits.
func lastWithBits(bits, limit int) int {
	return limit - (limit-bits)&(1<<roundBits-1)
}
