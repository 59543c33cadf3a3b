package cadence

// Change is what an observation changes.
type Change uint8

// The changes.
const (
	None  Change = iota
	Up           // the host answers, for the first time or again
	Down         // it has not answered a number of probes in a row
	Stuck        // it needs to be probed with another id
)

// Pulse is the state of a host, as the results of its probes show it. Its rules:
//
//  1. The first answer makes a host up.
//  2. A given number of unanswered probes in a row makes it down, even if it never
//     answered. A probe that was not sent counts as unanswered.
//  3. The row is in the order of sending: a probe that settles late neither breaks nor
//     lengthens it if a later probe was answered.
//  4. An answer makes a host that is down up.
//  5. A host that is up does not become up again, nor one that is down down.
//  6. A given number of silent probes in a row makes it stuck, and again whenever the row
//     has doubled: a firewall or an address translator may hold a broken session for the
//     id. A probe that was refused, or answered with an error, does not count as silent.
type Pulse struct {
	up, known bool
	answered  int // number of the newest probe that was answered, from 1
	row       int // probes since that without an answer
	silent    int // silent probes at the end of the row
	stuck     int // length of a silent row that makes the host stuck next
}

// Fate is the result of a probe.
type Fate uint8

// The fates.
const (
	Answered Fate = iota
	Silent
	Failed // an error came, or it was not sent
)

// Observe takes the result of the probe with the given number, from 0. Down and stuck are
// the lengths of the rows that make the host down and stuck; 0: none does.
func (p *Pulse) Observe(number int, fate Fate, down, stuck int) (change, also Change) {
	number++
	if fate == Answered {
		p.row, p.silent, p.stuck = 0, 0, 0
		p.answered = max(p.answered, number)
		if p.up {
			return None, None
		}
		p.up, p.known = true, true
		return Up, None
	}
	if number < p.answered {
		return None, None
	}
	p.row++
	if p.silent++; fate == Failed {
		p.silent = 0
	}
	if p.row >= down && (p.up || !p.known) {
		p.up, p.known = false, true
		change = Down
	}
	if stuck > 0 && p.silent >= max(stuck, p.stuck) {
		p.stuck = 2 * p.silent
		also = Stuck
	}
	return change, also
}
