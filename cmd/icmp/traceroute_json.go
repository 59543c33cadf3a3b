package main

import (
	"github.com/goicmp/icmplib"
)

// jsonRoute writes a route when it is complete.
type jsonRoute struct {
	*jsonWriter
	numbers *nameCache // of autonomous systems; nil: none
}

func (j jsonRoute) start(*icmplib.Route)             {}
func (j jsonRoute) hop(*icmplib.Route, *icmplib.Hop) {}

func (j jsonRoute) end(r *icmplib.Route, err error) {
	route := *r
	route.Err = err
	j.write(&route, asnField(j.numbers, r)...)
}

// csvRoute writes the hops of a route when it is complete.
type csvRoute struct{ csvHops }

func (c csvRoute) start(*icmplib.Route)             {}
func (c csvRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (c csvRoute) end(r *icmplib.Route, err error)  { c.route(r, 0, err) }
