package netsim

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A word is name, name=value, name@when or name=value@when.
type word[T any] struct {
	value bool // it has a value
	maybe bool // it may also be without one
	when  bool // it may have a when
	read  func(to *T, value string, when When) error
}

type words[T any] map[string]word[T]

var (
	errNeedsValue = errors.New("needs a value: name=value")
	errNoValue    = errors.New("has no value")
	errNoWhen     = errors.New("cannot be limited to some packets by @")
	errDuration   = errors.New("a duration from 0 is expected, as 5ms")
)

// readWords reads words into to, and returns the word that an error is about.
func readWords[T any](list []string, known words[T], to *T) (string, error) {
	for _, text := range list {
		if err := known.read(text, to); err != nil {
			return text, err
		}
	}
	return "", nil
}

func (known words[T]) read(text string, to *T) (err error) {
	text, limit, limited := strings.Cut(text, "@")
	name, value, valued := strings.Cut(text, "=")
	w, ok := known[name]
	switch {
	case !ok:
		return errUnknownWord
	case w.value && value == "" && (valued || !w.maybe):
		return errNeedsValue
	case !w.value && valued:
		return errNoValue
	case limited && !w.when:
		return errNoWhen
	}
	when := Always
	if limited {
		if when, err = parseWhen(limit); err != nil {
			return err
		}
	}
	return w.read(to, value, when)
}

// Words that set one field each.

func flagWord[T any](field func(*T) *bool) word[T] {
	return word[T]{read: func(to *T, _ string, _ When) error {
		*field(to) = true
		return nil
	}}
}

func whenWord[T any](field func(*T) *When) word[T] {
	return word[T]{when: true, read: func(to *T, _ string, when When) error {
		*field(to) = when
		return nil
	}}
}

// limitedTo is the word w, which may be limited to some packets by @.
func (w word[T]) limitedTo(when func(*T) *When) word[T] {
	read := w.read
	w.when = true
	w.read = func(to *T, value string, limit When) error {
		*when(to) = limit
		if value == "" {
			return nil
		}
		return read(to, value, limit)
	}
	return w
}

// optional is the word w, which may be without a value.
func (w word[T]) optional() word[T] {
	w.maybe = true
	return w
}

type integer interface {
	~int | ~uint8 | ~uint16 | ~uint32
}

// numberWord is a number that is to be in a range.
func numberWord[T any, N integer](low, high int, field func(*T) *N) word[T] {
	return word[T]{value: true, read: func(to *T, value string, _ When) error {
		return readNumber(value, low, high, field(to))
	}}
}

func readNumber[N integer](value string, low, high int, to *N) error {
	v, err := strconv.ParseInt(value, 0, 64)
	if err != nil || v < int64(low) || v > int64(high) {
		return fmt.Errorf("a number from %d to %d is expected", low, high)
	}
	*to = N(v)
	return nil
}

func durationWord[T any](field func(*T) *time.Duration) word[T] {
	return word[T]{value: true, read: func(to *T, value string, _ When) (err error) {
		*field(to), err = parseDuration(value)
		return err
	}}
}

func durationsWord[T any](field func(*T) *[]time.Duration) word[T] {
	return listWord(parseDuration, field)
}

func addressesWord[T any](field func(*T) *[]netip.Addr) word[T] {
	return listWord(parseAddr, field)
}

func portsWord[T any](field func(*T) *[]uint16) word[T] {
	return listWord(func(s string) (port uint16, err error) {
		err = readNumber(s, 0, 65535, &port)
		return port, err
	}, field)
}

// listWord is values with commas between them.
func listWord[T, V any](parse func(string) (V, error), field func(*T) *[]V) word[T] {
	return word[T]{value: true, read: func(to *T, value string, _ When) error {
		for item := range strings.SplitSeq(value, ",") {
			v, err := parse(item)
			if err != nil {
				return err
			}
			*field(to) = append(*field(to), v)
		}
		return nil
	}}
}

func parseDuration(s string) (time.Duration, error) {
	const most = 24 * time.Hour
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > most {
		return 0, errDuration
	}
	return d, nil
}
