package cadence

// Change is what an observation changes.
type Change uint8

// The changes.
const (
	None  Change = iota
	Up           // the host answers, for the first time or again
	Down         // it has not answered so many probes in a row
	Stuck        // it is to be probed with another id
)

// Pulse is what is known of a host by the fates of its probes. Its rules:
//
//  1. The first answer makes a host up.
//  2. So many probes in a row without an answer make it down, also one that never
//     answered. A probe that was not sent is one without an answer.
//  3. The row is that of the probes: one whose fate is known late does not break or
//     lengthen it if a later one was answered.
//  4. An answer makes a host that is down up.
//  5. A host that is up or down is not made so again.
//  6. A row of so many silent probes makes it stuck, and each that is twice as long
//     again: a firewall or an address translator may hold a bad session for the id. A
//     probe that was refused, or answered with an error, does not.
type Pulse struct {
	up, known bool
	answered  int // number of the newest probe that was answered, from 1
	row       int // probes since that without an answer
	silent    int // of those at the end of the row: silent ones
	stuck     int // length of a silent row that makes the host stuck next
}

// Fate is what became of a probe.
type Fate uint8

// The fates.
const (
	Answered Fate = iota
	Silent
	Failed // an error came, or it was not sent
)

// Observe takes the fate of the probe with a number, from 0. Down is how long a row
// makes the host down, stuck how long one makes it stuck; 0: none does.
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
