package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// errCannotLook is why --nat knows nothing.
var errCannotLook = fmt.Errorf("--nat could not look for rewritten header fields: routers quote them to raw sockets only;"+
	" run it as root, or give it CAP_NET_RAW, and leave --mode out: %w", os.ErrPermission)

// lookRaw has raw sockets used where they can be had and the user left it open:
// only they show header fields.
func (f *tracerouteFlags) lookRaw(opts *icmplib.TracerouteOptions, cfg *icmplib.Config) {
	f.natRaw = cfg.Mode == socket.Raw
	if !f.nat || cfg.Mode != socket.Auto {
		return
	}
	p, err := icmplib.NewProber(cfg)
	if err != nil {
		return // whoever makes the next one says so
	}
	defer p.Close()
	for _, c := range p.Capabilities().Sockets {
		if c.Protocol == opts.Packet.Protocol && c.Mode == socket.Raw && c.Err == nil &&
			(opts.Family == icmplib.AnyFamily || c.Family == opts.Family) {
			cfg.Mode, f.natRaw = socket.Raw, true
		}
	}
}

// looked returns what kept --nat from looking, nil if nothing did.
func (f *tracerouteFlags) looked(r *icmplib.Route) error {
	if f.nat && !f.natRaw && len(r.Hops) > 0 && !r.SeesRewrites() {
		return errCannotLook
	}
	return nil
}

// jsonRewrite is the object of a place where header fields are rewritten.
type jsonRewrite struct {
	Fields []string `json:"fields"`
	After  int      `json:"after"`
	Before int      `json:"before"`
	NAT    bool     `json:"nat"`
	Sure   bool     `json:"sure"`
}

// newJSONRewrites returns an empty list where nothing is rewritten, and nil where
// that is not known.
func newJSONRewrites(r *icmplib.Route) []jsonRewrite {
	if !r.SeesRewrites() {
		return nil
	}
	points := r.Rewrites()
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
// place, and one where there is none, or where nobody could look.
func describeRewrites(r *icmplib.Route) string {
	points := r.Rewrites()
	switch {
	case !r.SeesRewrites():
		return "rewritten: not known: no router quoted a probe, or this process may not see it without raw sockets\n"
	case len(points) == 0:
		return "rewritten: nothing, as far as routers quote it\n"
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
