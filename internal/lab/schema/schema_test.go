package schema

import "testing"

const sample = `{"$defs":{"A":{"type":"object","additionalProperties":false,"required":["n"],"properties":{
	"n":{"type":"integer","minimum":0,"maximum":9},"t":{"type":["string","null"],"enum":["x",null]},"l":{"type":"array","items":{"$ref":"#/$defs/B"}},"o":{"$ref":"#/$defs/Open"}}},
	"B":{"type":"object","additionalProperties":false,"properties":{"b":{"type":"boolean"}}},"Open":{"type":"object"}}}`

func TestFaultsAreFound(t *testing.T) {
	s, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	for object, faults := range map[string]int{
		`{"n":1}`: 0, `{"n":9,"t":null,"l":[{"b":true},{}]}`: 0, `{"n":1,"o":{"x":1}}`: 0,
		`{}`: 1, `{"n":1.5}`: 1, `{"n":10}`: 1, `{"n":-1}`: 1, `{"n":"1"}`: 1, `{"n":1,"t":"y"}`: 1, `{"n":1,"other":1}`: 1,
		`{"n":1,"l":[{"b":1},{"c":1}]}`: 2, `{"n":1,"o":1}`: 1, `[]`: 1, `{`: 1,
	} {
		if got := s.Faults("A", []byte(object)); len(got) != faults {
			t.Errorf("%s: %q, want %d faults", object, got, faults)
		}
	}
	if len(s.Faults("Open", []byte("{}"))) != 1 || len(s.Faults("None", []byte("{}"))) != 1 {
		t.Error("a definition that says nothing is taken")
	}
}
