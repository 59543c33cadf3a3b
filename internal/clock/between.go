package clock

import "time"

// apart is by how much the two time scales of a Reading, which are read one
// after the other, may seem to disagree without a step of the wall clock.
const apart = time.Microsecond

// Between returns the time between two of the kernel's stamps, of a packet that
// was sent after the reading sent and of its answer, which was read before the
// reading read. It is 0 where one of the stamps is missing (0), where the wall
// clock was stepped between the readings, and where the stamps do not lie
// between them, in this order.
func Between(sent, read Reading, departed, arrived int64) time.Duration {
	if departed == 0 || arrived == 0 {
		return 0
	}
	elapsed := read.Mono.Sub(sent.Mono)
	step := time.Duration(read.Wall-sent.Wall) - elapsed
	if step.Abs() > elapsed/slewed+apart {
		return 0
	}
	if departed < sent.Wall || arrived < departed || read.Wall < arrived {
		return 0
	}
	return time.Duration(arrived - departed)
}
