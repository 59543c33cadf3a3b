// Package words has the words for the values of small types: for text, for JSON, and back.
package words

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table has the words of a type.
type Table[T ~uint8] struct {
	Words []string // by value

	// What says in errors what the words stand for, such as "status". Lists has those errors
	// name all words.
	What  string
	Lists bool

	// Other is the word of all other values. Without it they have none: Type is what
	// String then returns, with the number behind it.
	Other string
	Type  string
}

// String returns the word of a value.
func (t *Table[T]) String(v T) string {
	switch {
	case int(v) < len(t.Words):
		return t.Words[v]
	case t.Other != "":
		return t.Other
	}
	return t.Type + "(" + strconv.Itoa(int(v)) + ")"
}

// Marshal returns the word of a value. That it has none is an error.
func (t *Table[T]) Marshal(v T) ([]byte, error) {
	word := t.String(v)
	if int(v) >= len(t.Words) && t.Other == "" {
		return nil, fmt.Errorf("no word for %s", word)
	}
	return []byte(word), nil
}

// Parse returns the value with a word. That there is none is an error.
func (t *Table[T]) Parse(word string) (v T, err error) {
	for i, w := range t.Words {
		if word == w {
			return T(i), nil
		}
	}
	if t.Lists {
		last := len(t.Words) - 1
		return v, fmt.Errorf("unknown %s %q: %s and %s are known", t.What, word, strings.Join(t.Words[:last], ", "), t.Words[last])
	}
	return v, fmt.Errorf("unknown %s %q", t.What, word)
}

// Unmarshal sets v to the value with a word. If there is none, v does not change.
func (t *Table[T]) Unmarshal(v *T, word []byte) error {
	parsed, err := t.Parse(string(word))
	if err == nil {
		*v = parsed
	}
	return err
}

// Set has the words of a type whose values are sets: word n stands for bit n.
type Set[T ~uint8] struct {
	Words []string
	What  string // says in errors what a word stands for
}

// none is the word of the empty set.
const none = "none"

// List returns the words of a set, in order.
func (s *Set[T]) List(v T) (all []string) {
	for i, word := range s.Words {
		if v&(1<<i) != 0 {
			all = append(all, word)
		}
	}
	return all
}

// String returns the words of a set, separated by commas, and "none" without any.
func (s *Set[T]) String(v T) string {
	words := s.List(v)
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, ",")
}

// Unmarshal sets v to the set with the given words. An unknown one is an error.
func (s *Set[T]) Unmarshal(v *T, text []byte) error {
	var set T
	for word := range strings.SplitSeq(string(text), ",") {
		switch i := slices.Index(s.Words, word); {
		case i >= 0:
			set |= 1 << i
		case word != none:
			return fmt.Errorf("unknown %s %q", s.What, word)
		}
	}
	*v = set
	return nil
}
