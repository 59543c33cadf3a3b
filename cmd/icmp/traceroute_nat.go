package main

import (
	"fmt"
	"strings"

	"github.com/goicmp/icmplib"
)

// jsonRewrite is the object of a place where header fields are rewritten.
type jsonRewrite struct {
	Fields []string `json:"fields"`
	After  int      `json:"after"`
	Before int      `json:"before"`
	NAT    bool     `json:"nat"`
	Sure   bool     `json:"sure"`
}

func newJSONRewrites(points []icmplib.RewritePoint) []jsonRewrite {
	o := make([]jsonRewrite, len(points))
	for i, p := range points {
		o[i] = jsonRewrite{p.Fields.Words(), p.After, p.Before, isNAT(p.Fields), p.Sure}
	}
	return o
}

// isNAT tells whether such fields are what address translators rewrite.
func isNAT(fields icmplib.Rewrite) bool { return fields&icmplib.RewriteTranslation != 0 }

// jsonRewritten returns the words of fields, an empty list for none.
func jsonRewritten(fields icmplib.Rewrite) []string {
	return append([]string{}, fields.Words()...)
}

// rewrittenMark marks a hop that saw header fields otherwise than the one before.
func rewrittenMark(fields icmplib.Rewrite) string {
	if fields == 0 {
		return ""
	}
	return "  [rewritten: " + strings.ReplaceAll(fields.String(), ",", ", ") + "]"
}

// describeRewrites says where header fields are rewritten: a line for each
// place, and one where there is none.
func describeRewrites(r *icmplib.Route) string {
	points := r.Rewrites()
	if len(points) == 0 {
		return "rewritten: nothing, as far as routers quote it to raw sockets\n"
	}
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "rewritten: between distance %d and %d: %s%s%s\n", p.After, p.Before,
			strings.ReplaceAll(p.Fields.String(), ",", ", "),
			mark(isNAT(p.Fields), ", as by an address translator"),
			mark(!p.Sure, "; or only quoted so, for no hop behind it quotes anything"))
	}
	return b.String()
}
