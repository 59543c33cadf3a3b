package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// otherWords are what fields could be called, too: here is how they are called.
var otherWords = map[string]string{
	"ip": "address", "host": "name", "hostname": "name", "sent": "packets_sent", "received": "packets_received",
	"loss": "packet_loss", "hop": "distance", "labels": "mpls", "err": "error", "alive": "is_alive", "dup": "duplicate",
	"ttl_expired": "status", "rtt": "rtt_ms", "rtts": "rtts_ms", "min_ms": "min_rtt_ms", "avg_ms": "avg_rtt_ms", "max_ms": "max_rtt_ms",
}

// shares are the numbers with a fraction that are no times.
var shares = []string{"packet_loss", "packet_loss_low", "packet_loss_high"}

// toldOrCounted are what is told of one probe, and counted of many.
var toldOrCounted = []string{"late", "altered", "suspect"}

// The fields of JSON are read from the source, so that none is missed.
func TestAFieldIsTheSameInEveryObject(t *testing.T) {
	type meaning struct{ object, typ string }
	fields := map[string]meaning{}
	eachJSONField(t, func(object, name, typ string) {
		if !regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`).MatchString(name) {
			t.Errorf("%s: %q is not in snake_case", object, name)
		}
		if right, ok := otherWords[name]; ok {
			t.Errorf("%s: %q is called %q elsewhere", object, name, right)
		}
		typ = kindOfJSON(typ)
		if fraction := strings.HasSuffix(typ, "fraction"); fraction != strings.HasSuffix(name, "_ms") && !slices.Contains(shares, name) {
			t.Errorf("%s: %q is %s: times are milliseconds with a fraction, and end in _ms", object, name, typ)
		}
		known, seen := fields[name]
		if seen && known.typ != typ && !slices.Contains(toldOrCounted, name) {
			t.Errorf("%q is %s in %s and %s in %s", name, typ, object, known.typ, known.object)
		}
		fields[name] = meaning{object, typ}
	})
	for _, want := range []string{"address", "target", "rtt_ms", "hops", "allowed"} {
		if _, ok := fields[want]; !ok {
			t.Errorf("%q was not found: this test does not see the fields", want)
		}
	}
}

// kindOfJSON returns what a Go type is in JSON. That there may be none is the
// object's.
func kindOfJSON(typ string) string {
	typ = strings.TrimPrefix(typ, "*")
	switch {
	case strings.HasPrefix(typ, "[]"):
		return "list of " + kindOfJSON(typ[2:])
	case strings.HasPrefix(typ, "int"), strings.HasPrefix(typ, "uint"):
		return "number"
	case typ == "float64":
		return "fraction"
	case strings.HasPrefix(typ, "json"):
		return "object"
	}
	return typ
}

func eachJSONField(t *testing.T, f func(object, name, typ string)) {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
			name, _, _ := strings.Cut(tag.Get("json"), ",")
			if name != "" && name != "-" {
				f(source, name, types.ExprString(field.Type))
			}
			return true
		})
	}
}
