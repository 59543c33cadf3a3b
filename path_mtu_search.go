package icmplib

import (
	"cmp"
	"context"
)

// commonMTUs are sizes that links have: those of RFC 1191 section 7.1, and what
// is left of Ethernet's 1500 bytes, and of jumbo frames, by the tunnels in use.
// They are tried before others.
var commonMTUs = [...]int{
	68, 296, 508, 576, 1006, 1280, 1300, 1320, 1340, 1358, 1360, 1380, 1392, 1400, 1412, 1420, 1428, 1436, 1438,
	1440, 1446, 1450, 1454, 1460, 1462, 1468, 1472, 1476, 1480, 1488, 1492, 1500, 2002, 4352, 4470, 8166,
	8942, 8950, 8970, 8980, 9000, 9180, 9190, 9216, 16110, 17914, 32000, 65520,
}

// mtuBounds is what is known of the largest packet that gets to a distance.
type mtuBounds struct {
	passes int // it passes, or is so small that it has to
	proven bool
	fails  int // it does not, or is larger than any to be tried
	shown  bool
	last   mtuVerdict // why fails fails
	open   int        // the size that nothing could be told of; 0: none
	first  int        // the size to begin with; 0: the largest
}

// maxTold is how often a search goes by what routers tell. There are not so many
// links that take less one after the other: somebody tells anything.
const maxTold = 8

// search finds the largest packet that gets to a distance, between bounds. What
// routers tell is tried first, and then what is a byte more; where they tell
// nothing, or nothing that can be true, it is common sizes and then halves.
func (r *mtuRun) search(ctx context.Context, ttl int, b *mtuBounds) error {
	suggested, told := cmp.Or(b.first, b.fails-1), 0
	for b.fails-b.passes > 1 {
		size := suggested
		if size <= b.passes || size >= b.fails {
			size = b.middle()
		}
		suggested = 0
		v, err := r.try(ctx, size, ttl)
		if err != nil {
			return err
		}
		switch v.fate {
		case mtuUnknown:
			b.open = size
			return nil
		case mtuPasses:
			b.passes, b.proven = size, true
			if b.shown && (b.last.mtu == size || isCommonMTU(size) && b.nextCommon() == 0) {
				suggested = size + 1
			}
		default:
			b.fails, b.shown, b.last = size, true, v
			if told++; told <= maxTold {
				suggested = v.mtu
			}
		}
	}
	return nil
}

// middle returns the common size in the middle of those between the bounds, and
// where there is none, the middle.
func (b *mtuBounds) middle() int {
	var between []int
	for _, size := range commonMTUs {
		if size > b.passes && size < b.fails {
			between = append(between, size)
		}
	}
	if len(between) > 0 {
		return between[len(between)/2]
	}
	return b.passes + (b.fails-b.passes)/2
}

// nextCommon returns the next common size above what passes; 0: none is left.
func (b *mtuBounds) nextCommon() int {
	for _, size := range commonMTUs {
		if size > b.passes && size < b.fails {
			return size
		}
	}
	return 0
}

func isCommonMTU(size int) bool {
	for _, common := range commonMTUs {
		if size == common {
			return true
		}
	}
	return false
}
