// Package schema holds JSON against docs/schema.json, in tests.
package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schema is as much of JSON Schema as docs/schema.json uses.
type Schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"`
	Enum       []any              `json:"enum"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	Properties map[string]*Schema `json:"properties"`
	Required   []string           `json:"required"`
	Closed     *bool              `json:"additionalProperties"`
	Items      *Schema            `json:"items"`
	Defs       map[string]*Schema `json:"$defs"`
}

// Parse reads the text of a schema.
func Parse(text string) (*Schema, error) {
	s := new(Schema)
	return s, json.Unmarshal([]byte(text), s)
}

// Faults returns what in an object is against one of the definitions of s.
func (s *Schema) Faults(definition string, object []byte) []string {
	var v any
	if err := json.Unmarshal(object, &v); err != nil {
		return []string{fmt.Sprintf("%v in %s", err, object)}
	}
	def := s.Defs[definition]
	switch {
	case def == nil:
		return []string{definition + " is not in the schema"}
	case def.Closed == nil || *def.Closed:
		return []string{definition + ": other fields are allowed"}
	}
	return def.faults(s, definition, v)
}

// Fields returns the names of the fields of a definition, sorted.
func (s *Schema) Fields(definition string) []string {
	return slices.Sorted(maps.Keys(s.Defs[definition].Properties))
}

// Each calls f for all objects, with a name that says where each stands.
func (s *Schema) Each(f func(name string, object *Schema)) {
	var walk func(name string, s *Schema)
	walk = func(name string, s *Schema) {
		if s == nil {
			return
		}
		if s.Properties != nil {
			f(name, s)
		}
		walk(name+"[]", s.Items)
		for field, of := range s.Properties {
			walk(name+"."+field, of)
		}
	}
	for name, def := range s.Defs {
		walk(name, def)
	}
}

// Kind says what a field is, without whether it may be null.
func (s *Schema) Kind() string {
	kind := s.Type
	if all, several := kind.([]any); several {
		kind = all[0]
	}
	switch {
	case s.Ref != "":
		return s.Ref
	case kind == "array":
		return "list of " + s.Items.Kind()
	}
	return fmt.Sprint(kind)
}

func (s *Schema) faults(root *Schema, at string, v any) (all []string) {
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
		if s.Properties == nil { // names that are the user's
			return all
		}
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
