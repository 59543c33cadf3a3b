package icmplib

// LossVerdict is what becomes of the answers of a hop, or of the packets on a
// way.
type LossVerdict uint8

// The verdicts.
const (
	LossUnclear LossVerdict = iota // the figures do not suffice to say
	LossNone                       // nothing is lost
	LossFound                      // packets are lost, as many at both rates
	LossLimited                    // answers are limited: there are fewer at the fast rate
)

var lossWords = [...]string{"unclear", "none", "loss", "rate-limited"}

// String returns the verdict in a word, such as "loss" or "rate-limited".
func (v LossVerdict) String() string {
	return wordOf(v, lossWords[:], lossWords[LossUnclear])
}

// MarshalText returns the word, for JSON and its like.
func (v LossVerdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText sets v to the verdict whose word is given. An unknown word is an
// error.
func (v *LossVerdict) UnmarshalText(word []byte) error {
	return setByWord(v, lossWords[:], 0, word, "verdict on loss")
}
