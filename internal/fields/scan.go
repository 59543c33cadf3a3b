package fields

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// What follows reads JSON that is known to be valid.

// member is a field of an object that is read.
type member struct{ name, value []byte }

// enter makes the object in value the one that is read.
func (o *Object) enter(name string, value []byte) {
	o.members, o.next = nil, 0
	if value[0] != '{' {
		o.mismatch(name, value, "an object")
		return
	}
	base := len(o.stack)
	for rest := inner(value); len(rest) > 0; {
		var m member
		m.name, rest = cut(rest)
		m.value, rest = cut(rest)
		o.stack = append(o.stack, m)
	}
	o.members = o.stack[base:]
}

// read reads an object within the one that is read.
func read[T any](o *Object, name string, value []byte, v *T, list func(*T, *Object)) {
	members, next, height := o.members, o.next, len(o.stack)
	o.enter(name, value)
	list(v, o)
	o.members, o.next, o.stack = members, next, o.stack[:height]
}

// find returns the value of a field, nil where it is missing or null. Fields are mostly in
// the order of the list, so the search begins behind the one found last.
func (o *Object) find(name string) []byte {
	for i := range o.members {
		at := (o.next + i) % len(o.members)
		if m := &o.members[at]; isNamed(m.name, name) {
			o.next = at + 1
			if isNull(m.value) {
				return nil
			}
			return m.value
		}
	}
	return nil
}

// isNamed reports whether a name in quotes is the one meant.
func isNamed(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	text, _ := unquote(quoted)
	return text == name
}

// elements returns the values of a list; none where it is missing.
func (o *Object) elements(name string) (all [][]byte) {
	value := o.find(name)
	if value == nil {
		return nil
	}
	if value[0] != '[' {
		o.mismatch(name, value, "a list")
		return nil
	}
	for rest := inner(value); len(rest) > 0; {
		var element []byte
		element, rest = cut(rest)
		all = append(all, element)
	}
	return all
}

// inner returns what is between the brackets of an object or a list: nothing where
// it is empty.
func inner(value []byte) []byte { return skip(value[1 : len(value)-1]) }

// skip returns data from the next value on.
func skip(data []byte) []byte {
	for i, c := range data {
		if c > ' ' && c != ',' && c != ':' {
			return data[i:]
		}
	}
	return nil
}

// cut returns the first value of data, which begins with it, and data from the next
// one on.
func cut(data []byte) (value, rest []byte) {
	end, depth := 0, 0
	for end < len(data) {
		switch c := data[end]; c {
		case '"':
			end = endOfString(data, end+1)
		case '{', '[':
			depth++
			end++
		case '}', ']':
			depth--
			end++
		default: // of a number or a word, or between values
			end++
			if depth > 0 || end < len(data) && isPlain(data[end]) {
				continue
			}
		}
		if depth == 0 {
			break
		}
	}
	return data[:end], skip(data[end:])
}

// isPlain reports whether a byte goes on with a number or a word.
func isPlain(c byte) bool {
	return c > ' ' && c != ',' && c != ':' && c != ']' && c != '}'
}

// endOfString returns the index behind the quotation mark that ends a string.
func endOfString(data []byte, at int) int {
	for data[at] != '"' {
		if data[at] == '\\' {
			at++
		}
		at++
	}
	return at + 1
}

func isNull(value []byte) bool { return string(value) == "null" }

// unquote returns the text of a string, and reports whether it is one.
func unquote(value []byte) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	return text, json.Unmarshal(value, &text) == nil
}
