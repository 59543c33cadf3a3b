package icmplib

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// jsonSchema is as much of JSON Schema as docs/schema.json uses.
type jsonSchema struct {
	Ref        string                 `json:"$ref"`
	Type       any                    `json:"type"`
	Enum       []any                  `json:"enum"`
	Minimum    *float64               `json:"minimum"`
	Maximum    *float64               `json:"maximum"`
	Properties map[string]*jsonSchema `json:"properties"`
	Required   []string               `json:"required"`
	Closed     *bool                  `json:"additionalProperties"`
	Items      *jsonSchema            `json:"items"`
	Defs       map[string]*jsonSchema `json:"$defs"`
}

func readSchema(t *testing.T) *jsonSchema {
	t.Helper()
	data, err := os.ReadFile("docs/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	root := new(jsonSchema)
	if err := json.Unmarshal(data, root); err != nil {
		t.Fatal(err)
	}
	return root
}

// faults returns what in a value is against the schema.
func (s *jsonSchema) faults(root *jsonSchema, at string, v any) (all []string) {
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].faults(root, at, v)
	}
	kinds, listed := s.Type.([]any)
	if !listed {
		kinds = []any{s.Type}
	}
	if !slices.ContainsFunc(kinds, func(kind any) bool { return isOfKind(v, kind) }) {
		return []string{fmt.Sprintf("%s: %v is no %v", at, v, s.Type)}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		all = append(all, fmt.Sprintf("%s: %v is none of %v", at, v, s.Enum))
	}
	switch v := v.(type) {
	case float64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			all = append(all, fmt.Sprintf("%s: %v is out of range", at, v))
		}
	case []any:
		for i, item := range v {
			all = append(all, s.Items.faults(root, fmt.Sprintf("%s[%d]", at, i), item)...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				all = append(all, fmt.Sprintf("%s: no %s", at, name))
			}
		}
		for name, field := range v {
			known := s.Properties[name]
			if known == nil {
				all = append(all, fmt.Sprintf("%s: %s is not in the schema", at, name))
				continue
			}
			all = append(all, known.faults(root, at+"."+name, field)...)
		}
	}
	return all
}

func isOfKind(v, kind any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

// TestJSONIsAsInTheSchema holds all that marshals against docs/schema.json, with
// all fields set and with none.
func TestJSONIsAsInTheSchema(t *testing.T) {
	root := readSchema(t)
	route := Route{Name: "a", Address: testTarget, Hops: []Hop{sampleHop(), {Distance: 4}}, Graph: sampleGraph(), Err: ErrTimeout}
	long := keeping(4)
	for seq := range 9 {
		long.Add(reply(seq, ms))
	}
	late := *statsOf(fate(0, StatusNoReply), late(reply(0, ms)))
	for _, v := range []any{
		long, late, Stats{}, Host{}, Host{Name: "h", Err: ErrTimeout, Stats: long},
		Result{}, func() Result { r := sampleResult(); r.Seq = -1; return r }(), StreamResult{Tag: 1},
		Hop{}, sampleHop(), Route{}, route, Graph{}, *sampleGraph(),
		Snapshot{Route: route, Results: []Result{sampleResult()}, Events: []Event{{Kind: EventOutage}}}, Snapshot{},
		Event{Kind: EventRouteChange, Distance: 1}, Event{Kind: EventRecovery},
		MTUReport{}, MTUReport{LocalMTU: 9, Hops: []HopMTU{{MTU: 1, ReportedBy: testTarget}}, BlackHoles: []BlackHole{{}}},
		LossReport{}, LossReport{From: 1, Hops: []HopLoss{{}}}, LossShare{},
	} {
		name := reflect.TypeOf(v).Name()
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var read any
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		def := root.Defs[name]
		if def == nil {
			t.Errorf("%s is not in the schema", name)
			continue
		}
		if def.Closed == nil || *def.Closed {
			t.Errorf("%s: other fields are allowed", name)
		}
		for _, fault := range def.faults(root, name, read) {
			t.Errorf("%s\n%s", fault, data)
		}
	}
}
