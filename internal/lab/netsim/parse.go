package netsim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ParseError is a word of a network's description that makes no sense.
type ParseError struct {
	Line int // from 1
	Word string
	Err  error
}

// Error says where the word is and what is wrong with it.
func (e *ParseError) Error() string {
	return fmt.Sprintf("line %d: %s: %v", e.Line, e.Word, e.Err)
}

// Unwrap returns what is wrong.
func (e *ParseError) Unwrap() error { return e.Err }

var (
	errUnknownWord = errors.New("unknown word")
	errUnknownLine = errors.New("a line begins with seed, client, node, path, spoof or noise")
	errOneNumber   = errors.New("one number from 0 is expected")
	errName        = errors.New("a name does not look like an address, nor hold any of ( ) | = @")
)

// Parse reads a network from text; the package documentation has the words.
// Each error is a [*ParseError], but for those of r.
func Parse(r io.Reader) (*Spec, error) {
	p := &parser{spec: &Spec{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if word, err := p.read(words[0], words[1:], text); err != nil {
			return nil, &ParseError{Line: p.line, Word: word, Err: err}
		}
	}
	return p.spec, lines.Err()
}

// ParseString is [Parse] of a string.
func ParseString(text string) (*Spec, error) { return Parse(strings.NewReader(text)) }

type parser struct {
	spec *Spec
	line int
}

// read reads a line, and returns the word that an error is about.
func (p *parser) read(kind string, words []string, text string) (string, error) {
	switch kind {
	case "seed":
		return p.seed(words)
	case "client":
		return p.client(words)
	case "node":
		return p.node(words)
	case "path":
		return p.path(text)
	case "spoof":
		s := Spoof{When: Always}
		word, err := readWords(words, spoofWords, &s)
		p.spec.Spoofs = append(p.spec.Spoofs, s)
		return word, err
	case "noise":
		return p.noise(words)
	}
	return kind, errUnknownLine
}

func (p *parser) seed(words []string) (word string, err error) {
	if len(words) != 1 {
		return "seed", errOneNumber
	}
	if p.spec.Seed, err = strconv.ParseUint(words[0], 0, 64); err != nil {
		return words[0], errOneNumber
	}
	return "", nil
}

func (p *parser) client(words []string) (string, error) {
	for _, word := range words {
		a, err := parseAddr(word)
		if err != nil {
			return word, err
		}
		p.spec.Client = append(p.spec.Client, a)
	}
	return "", nil
}

func (p *parser) node(words []string) (string, error) {
	if len(words) == 0 {
		return "node", errNoName
	}
	n := Node{Line: p.line, Name: words[0]}
	if _, err := parsePrefix(n.Name); err == nil || strings.ContainsAny(n.Name, "()|=@") {
		return n.Name, errName
	}
	words = words[1:]
	for len(words) > 0 {
		a, err := netip.ParseAddr(words[0])
		if err != nil {
			break
		}
		if !usable(a) {
			return words[0], errBadAddress
		}
		n.Addresses, words = append(n.Addresses, a), words[1:]
	}
	word, err := readWords(words, nodeWords, &n)
	p.spec.Nodes = append(p.spec.Nodes, n)
	return word, err
}

func (p *parser) noise(words []string) (string, error) {
	kinds := map[string]NoiseKind{"replies": Replies, "errors": Errors, "garbage": Garbage, "malformed": Malformed}
	if len(words) == 0 {
		return "noise", errUnknownWord
	}
	kind, ok := kinds[words[0]]
	if !ok {
		return words[0], errUnknownWord
	}
	n := Noise{Kind: kind}
	word, err := readWords(words[1:], noiseWords, &n)
	if err == nil && n.Rate == 0 {
		return "noise", errNoise
	}
	p.spec.Noises = append(p.spec.Noises, n)
	return word, err
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !usable(a) {
		return netip.Addr{}, errBadAddress
	}
	return a, nil
}

// parsePrefix reads a prefix, or an address, which is one of full length.
func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := parseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}
