package netsim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const maxNesting = 16 // branches within branches

var (
	errBranchesOpen   = errors.New("branches are not closed by )")
	errBranchesClosed = errors.New("there are no branches to close or to separate")
	errTooNested      = errors.New("too many branches within branches")
)

var balances = map[string]Balance{
	"flow": Flow, "destination": Destination, "turn": InTurn, "random": Random, "all": All, "loop": Loop,
	"time": InTime,
}

var fieldNames = map[string]Field{
	"source": FieldSource, "destination": FieldDestination, "protocol": FieldProtocol, "ports": FieldPorts,
	"checksum": FieldChecksum, "id": FieldID, "label": FieldLabel, "class": FieldClass,
}

// path reads destinations and the route to them.
func (p *parser) path(text string) (string, error) {
	words := strings.Fields(strings.NewReplacer("(", "( ", ")", " ) ", "|", " | ").Replace(text))[1:]
	path := Path{Line: p.line}
	for len(words) > 0 {
		prefix, err := parsePrefix(words[0])
		if err != nil {
			if strings.Contains(words[0], "/") {
				return words[0], err
			}
			break
		}
		path.Destinations, words = append(path.Destinations, prefix), words[1:]
	}
	switch {
	case len(path.Destinations) == 0:
		return "path", errNoPrefix
	case len(words) == 0:
		return "path", errNoRoute
	}
	r := routeReader{words: words}
	var err error
	if path.Route, err = r.read(0); err == nil && len(r.words) > 0 {
		err = errBranchesClosed
	}
	p.spec.Paths = append(p.spec.Paths, path)
	return r.word(), err
}

// routeReader reads the elements of a route.
type routeReader struct{ words []string }

func (r *routeReader) word() string {
	if len(r.words) == 0 {
		return "path"
	}
	return r.words[0]
}

// read reads elements until the route or the branch ends.
func (r *routeReader) read(depth int) (route []Element, err error) {
	for len(r.words) > 0 {
		word := r.words[0]
		kind, isBranches := strings.CutSuffix(word, "(")
		switch {
		case word == ")" || word == "|":
			return route, nil
		case isBranches:
			e, err := r.branches(kind, depth)
			if err != nil {
				return nil, err
			}
			route = append(route, e)
		default:
			route = append(route, Element{Node: word})
			r.words = r.words[1:]
		}
	}
	return route, nil
}

// branches reads from "flow(" to ")".
func (r *routeReader) branches(kind string, depth int) (e Element, err error) {
	if depth == maxNesting {
		return e, errTooNested
	}
	if err = e.parseBalance(kind); err != nil {
		return e, err
	}
	r.words = r.words[1:]
	for {
		branch, err := r.read(depth + 1)
		if err != nil {
			return e, err
		}
		e.Branches = append(e.Branches, branch)
		if len(r.words) == 0 {
			return e, errBranchesOpen
		}
		end := r.words[0]
		r.words = r.words[1:]
		if end == ")" {
			return e, nil
		}
	}
}

// parseBalance reads the kind of branches: "turn", or "flow:source+ports", or
// "time:1h,2h".
func (e *Element) parseBalance(kind string) error {
	name, list, found := strings.Cut(kind, ":")
	if name == "" {
		name = "flow"
	}
	b, ok := balances[name]
	e.Balance = b
	switch {
	case !ok:
		return fmt.Errorf("unknown kind of branches %q", name)
	case !found:
		return nil
	case b == InTime:
		return e.parseTimes(list)
	case b != Flow:
		return fmt.Errorf("%s branches have no fields", name)
	}
	for field := range strings.SplitSeq(list, "+") {
		bit, ok := fieldNames[field]
		if !ok {
			return fmt.Errorf("unknown field %q", field)
		}
		e.Fields |= bit
	}
	return nil
}

func (e *Element) parseTimes(list string) error {
	for item := range strings.SplitSeq(list, ",") {
		t, err := time.ParseDuration(item)
		if err != nil {
			return err
		}
		e.Times = append(e.Times, t)
	}
	return nil
}
