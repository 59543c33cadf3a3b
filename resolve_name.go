package icmplib

import (
	"errors"
	"strings"
)

// Bounds of a name in its presentation form (RFC 1035 section 2.3.4: 255 bytes
// on the wire, where each label has a length byte before it, and so has the
// root behind them all).
const (
	maxLabel = 63
	maxName  = 253
)

// Why a name is refused before anybody is asked.
var (
	errNameEmpty   = errors.New("it is empty")
	errNameLong    = errors.New("a name has at most 253 bytes")
	errLabelEmpty  = errors.New("it has an empty label")
	errLabelLong   = errors.New("a label has at most 63 bytes")
	errNameNumeric = errors.New("it is neither an IPv4 address nor a name")
	errNameColon   = errors.New("it is neither an IPv6 address nor a name")
	errNameByte    = errors.New("a name has letters, digits, hyphens, underscores and dots only; others go in xn-- form")
)

// checkName refuses what can be no name of a host, so that it never reaches a
// server: the bounds of RFC 1035 section 2.3.4 and the characters of RFC 1123
// section 2.1, and the underscore, which is in use. Whether the name exists is
// for the resolver to say.
func checkName(name string) error {
	name = strings.TrimSuffix(name, ".")
	switch {
	case name == "":
		return errNameEmpty
	case strings.Contains(name, ":"):
		return errNameColon
	case len(name) > maxName:
		return errNameLong
	}
	numeric := true
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return err
		}
		numeric = numeric && isNumber(label)
	}
	// RFC 1123 section 2.1: no name looks like dotted decimal. Some resolvers
	// read such a thing as an address all the same, "1234" as 0.0.4.210.
	if numeric {
		return errNameNumeric
	}
	return nil
}

// checkLabel checks what stands between two dots.
func checkLabel(label string) error {
	switch {
	case label == "":
		return errLabelEmpty
	case len(label) > maxLabel:
		return errLabelLong
	}
	for i := range len(label) {
		if !isNameByte(label[i]) {
			return errNameByte
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether a label is a number, as inet_aton reads one: decimal
// or octal, or hexadecimal behind 0x.
func isNumber(label string) bool {
	if len(label) > 1 && label[0] == '0' && label[1]|0x20 == 'x' {
		return strings.Trim(label[2:], "0123456789abcdefABCDEF") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
