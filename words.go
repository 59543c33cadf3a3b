package icmplib

import "fmt"

// wordOf returns the word of a value, and another one where it has none.
func wordOf[T ~uint8](v T, words []string, none string) string {
	if int(v) < len(words) {
		return words[v]
	}
	return none
}

// setByWord sets v to the value whose word is given, from the least one on. An
// unknown word of what is an error.
func setByWord[T ~uint8](v *T, words []string, least T, word []byte, what string) error {
	for i := int(least); i < len(words); i++ {
		if string(word) == words[i] {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("unknown %s %q", what, word)
}
