package fields

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// part is an object within another one.
type part struct{ X int }

func partFields(p *part, o *Object) { Int(o, "x", &p.X) }

// whole has a field of each kind.
type whole struct {
	Int       int
	Maybe     uint16
	Big       uint64
	Yes       bool
	Marked    bool
	Share     float64
	Wait      time.Duration
	Waits     []time.Duration
	Name      string
	Names     []string
	Addr      netip.Addr
	Other     netip.Addr
	Time      time.Time
	Err       error
	Number    uint8
	HasNumber bool
	Part      *part
	Parts     []part
	More      []part
	Rare      []part
}

func wholeFields(w *whole, o *Object) {
	Int(o, "int", &w.Int)
	IntIf(o, "maybe", &w.Maybe)
	Int(o, "big", &w.Big)
	o.Bool("yes", &w.Yes)
	o.BoolIf("marked", &w.Marked)
	o.Float("share", &w.Share)
	o.MSKnown("wait_ms", &w.Wait, w.Wait > 0)
	o.Durations("waits_ms", &w.Waits)
	o.Text("name", &w.Name)
	o.Texts("names", &w.Names)
	o.Addr("addr", &w.Addr)
	o.AddrIf("other", &w.Other)
	if o.Has(!w.Time.IsZero()) {
		Word(o, "time", &w.Time)
	}
	o.Error("error", &w.Err)
	w.HasNumber = o.Number("number", &w.Number, w.HasNumber)
	Optional(o, "part", &w.Part, partFields)
	List(o, "parts", &w.Parts, partFields)
	ListIf(o, "more", &w.More, partFields)
	Values(o, "rare", &w.Rare)
}

// full has something in each field.
func full() whole {
	return whole{Int: -7, Maybe: math.MaxUint16, Big: math.MaxUint64, Yes: true, Marked: true, Share: 0.125,
		Wait: 1234567, Waits: []time.Duration{1, 2500 * time.Microsecond}, Name: "a \"b\"\\ <é>\n", Names: []string{"x", "]},{["},
		Addr: netip.MustParseAddr("192.0.2.1"), Other: netip.MustParseAddr("fe80::1%e\"h"), Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Err: errors.New("no"), Number: 200, HasNumber: true, Part: &part{1}, Parts: []part{{2}, {3}}, More: []part{{4}}, Rare: []part{{5}}}
}

const (
	emptyText = `{"schema":3,"int":0,"big":0,"yes":false,"share":0,"wait_ms":null,"waits_ms":[],"name":"","names":[],"addr":"",` +
		`"error":null,"number":null,"parts":[],"rare":[]}`
	fullText = `{"schema":3,"int":-7,"maybe":65535,"big":18446744073709551615,"yes":true,"marked":true,"share":0.125,"wait_ms":1.234567,` +
		`"waits_ms":[0.000001,2.5],"name":"a \"b\"\\ \u003cé\u003e\n","names":["x","]},{["],"addr":"192.0.2.1","other":"fe80::1%e\"h",` +
		`"time":"2026-01-02T03:04:05.000000006Z","error":"no","number":200,"part":{"x":1},"parts":[{"x":2},{"x":3}],"more":[{"x":4}],"rare":[{"X":5}]}`
)

func TestAnObjectIsWrittenFieldByField(t *testing.T) {
	for _, tt := range []struct {
		v    whole
		want string
	}{{whole{}, emptyText}, {full(), fullText}} {
		got, err := appendTo([]byte("before "), 3, &tt.v, wholeFields)
		if err != nil || string(got) != "before "+tt.want {
			t.Errorf("%v\n%s\nwant\n%s", err, got, tt.want)
		}
	}
	if got, err := appendTo(nil, 0, &part{1}, partFields); err != nil || string(got) != `{"x":1}` {
		t.Errorf("without a schema: %s, %v", got, err)
	}
}

func appendTo[T any](b []byte, schema int, v *T, list func(*T, *Object)) ([]byte, error) {
	c := Codec[T]{schema, list}
	return c.Append(b, v)
}

func readFrom[T any](data []byte, schema int, v *T, list func(*T, *Object)) error {
	c := Codec[T]{schema, list}
	return c.Read(data, v)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	reversed := fullText[:len(fullText)-1]
	pretty := strings.NewReplacer(`,"`, " ,\n\t\"", `":`, `" : `, `{"`, `{ "`, `[`, "[ ", "}", "\r}").Replace(`{"parts":[{"x":2},{"x":3}],"int":-7,"names":["a"]}`)
	for name, tt := range map[string]struct {
		text string
		want whole
	}{
		"nothing":        {"{}", whole{}},
		"empty":          {emptyText, whole{Rare: []part{}}},
		"full":           {fullText, full()},
		"further fields": {reversed + `,"new":{"int":9,"deep":["]"]},"newer":"}"}`, full()},
		"another order":  {`{"big":2,"int":1,"schema":3}`, whole{Big: 2, Int: 1}},
		"space":          {pretty, whole{Int: -7, Parts: []part{{2}, {3}}, Names: []string{"a"}}},
		"escaped name":   {`{"i\u006et":4}`, whole{Int: 4}},
		"null":           {`{"int":null,"part":null,"parts":null,"names":null,"error":null,"yes":null,"share":null,"rare":null}`, whole{}},
		"not UTF-8":      {"{\"name\":\"\xff\"}", whole{Name: "\ufffd"}},
		"a long wait":    {`{"wait_ms":1e300,"waits_ms":[-1e300]}`, whole{Wait: math.MaxInt64, Waits: []time.Duration{math.MinInt64}}},
		"the longest":    {`{"wait_ms":9223372036854.775807,"waits_ms":[9223372036854.774]}`, whole{Wait: math.MaxInt64, Waits: []time.Duration{9223372036854773760}}},
		"no less than 0": {`{"int":-0,"big":0}`, whole{}},
		"one space":      {`{"int": 1, "names": ["a", "b"], "big":2 }`, whole{Int: 1, Names: []string{"a", "b"}, Big: 2}},
		"the nearest ns": {`{"wait_ms":0.0000015,"waits_ms":[0.0000014]}`, whole{Wait: 2, Waits: []time.Duration{1}}},
	} {
		got := whole{Int: 99}
		if err := readFrom([]byte(" "+tt.text+"\n"), 3, &got, wholeFields); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if (got.Err == nil) != (tt.want.Err == nil) || got.Err != nil && got.Err.Error() != tt.want.Err.Error() {
			t.Errorf("%s: error %v", name, got.Err)
		}
		if got.Err = tt.want.Err; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, tt.want)
		}
	}
}

func TestWithoutTheFieldsThatAreNeededItIsSomethingElse(t *testing.T) {
	list := func(p *part, o *Object) {
		o.Need("x", "y")
		partFields(p, o)
	}
	for text, want := range map[string]string{`{}`: "x is missing", `{"x":1}`: "y is missing", `{"y":1,"x":null}`: "x is missing"} {
		if err := (&Codec[part]{Schema: 3, List: list}).Read([]byte(text), &part{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	p := part{}
	if err := (&Codec[part]{Schema: 3, List: list}).Read([]byte(`{"y":1,"x":7}`), &p); err != nil || p.X != 7 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPlainTextIsNotEscaped(t *testing.T) {
	text, b := "all from ! to ~, and the space", make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { b = appendText(b[:0], text) }); n > 0 || string(b) != `"`+text+`"` {
		t.Errorf("%s by %v allocations", b, n)
	}
}

func TestNullChangesNothing(t *testing.T) {
	p := part{7}
	if err := readFrom([]byte("null"), 3, &p, partFields); err != nil || p.X != 7 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestWhatIsWrongIsNotRead(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "unexpected end",
		`{"int":`:                         "unexpected end",
		`{"int":1} x`:                     "invalid character",
		`[1]`:                             "the JSON is [1], not an object",
		`7`:                               "not an object",
		`{"schema":4}`:                    "schema 4: this version of icmplib reads 3",
		`{"schema":"3"}`:                  "schema",
		`{"int":"3"}`:                     `int is "3", not a whole number that fits int`,
		`{"int":1.5}`:                     "int is 1.5",
		`{"int":9223372036854775808}`:     "int is 9223372036854775808",
		`{"maybe":65536}`:                 "fits uint16",
		`{"maybe":-1}`:                    "maybe is -1",
		`{"big":-1}`:                      "big is -1",
		`{"big":18446744073709551616}`:    "big is",
		`{"number":256}`:                  "fits uint8",
		`{"yes":1}`:                       "yes is 1, not true or false",
		`{"share":"x"}`:                   "share is \"x\", not a number",
		`{"share":1e999}`:                 "not a number",
		`{"wait_ms":{}}`:                  "wait_ms is {}, not a number",
		`{"waits_ms":[true]}`:             "waits_ms is true, not a number",
		`{"waits_ms":1}`:                  "waits_ms is 1, not a list",
		`{"name":1}`:                      "name is 1, not a string",
		`{"names":[1]}`:                   "names is 1, not a string",
		`{"names":{}}`:                    "names is {}, not a list",
		`{"addr":"x"}`:                    "addr: ",
		`{"addr":1}`:                      "addr is 1, not a string",
		`{"time":"x"}`:                    "time: ",
		`{"error":1}`:                     "error is 1",
		`{"part":1}`:                      "part is 1, not an object",
		`{"parts":[1]}`:                   "parts is 1, not an object",
		`{"parts":[{"x":"y"}]}`:           `x is "y"`,
		`{"parts":{}}`:                    "not a list",
		`{"rare":[1]}`:                    "rare: ",
		`{"name":"` + longText + `"x":1}`: "invalid character",
		`{"int":"` + longText + `"}`:      "int is \"" + longText[:39] + ", not",
	} {
		got := whole{Int: 99, Name: "kept"}
		err := readFrom([]byte(text), 3, &got, wholeFields)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if !reflect.DeepEqual(got, whole{Int: 99, Name: "kept"}) {
			t.Errorf("%s: %+v is set", text, got)
		}
	}
}

var longText = strings.Repeat("0123456789", 9)

// failing is a word that has no text.
type failing struct{}

var errFailing = errors.New("no word")

func (failing) MarshalText() ([]byte, error) { return nil, errFailing }
func (*failing) UnmarshalText([]byte) error  { return errFailing }
func failingFields(f *failing, o *Object)    { Word(o, "f", f); o.Fail(errors.New("a later one")) }
func (failing) MarshalJSON() ([]byte, error) { return nil, errFailing }

func TestTheFirstErrorCounts(t *testing.T) {
	if got, err := appendTo(nil, 1, &failing{}, failingFields); got != nil || err != errFailing {
		t.Errorf("%s, %v", got, err)
	}
	if err := readFrom([]byte(`{"f":"x"}`), 1, &failing{}, failingFields); !errors.Is(err, errFailing) || !strings.HasPrefix(err.Error(), "f: ") {
		t.Error(err)
	}
	rare := []failing{{}}
	if _, err := appendTo(nil, 1, &rare, func(v *[]failing, o *Object) { Values(o, "rare", v) }); !errors.Is(err, errFailing) {
		t.Error(err)
	}
}

func TestNullIsWritten(t *testing.T) {
	got, err := appendTo(nil, 0, &part{}, func(_ *part, o *Object) { o.Null("a"); o.Null("b") })
	if err != nil || string(got) != `{"a":null,"b":null}` {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzRead compares what is read with what package json makes of the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(fullText))
	f.Add([]byte(emptyText))
	f.Add([]byte(`{"name":"\\\"}","names":["\u005d",""],"parts":[{"x":1},{"x":2}],"x":[[{}]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, back whole
		if readFrom(data, 3, &got, wholeFields) != nil {
			return
		}
		var names struct{ Names []string }
		var any map[string]json.RawMessage
		if json.Unmarshal(data, &any) != nil || len(any) == 0 {
			return
		}
		written, err := appendTo(nil, 3, &got, wholeFields)
		if err != nil {
			return // a year that has no text
		}
		if err := readFrom(written, 3, &back, wholeFields); err != nil {
			t.Fatalf("%v of %s", err, written)
		}
		again, err := appendTo(nil, 3, &back, wholeFields)
		if err != nil || string(again) != string(written) {
			t.Errorf("%s\nbecame %s, %v", written, again, err)
		}
		if json.Unmarshal(any["names"], &names.Names) == nil && !hasTwice(data, "names") && len(names.Names) != len(got.Names) {
			t.Errorf("%q, want %q", got.Names, names.Names)
		}
	})
}

// hasTwice reports whether a name may stand twice, of which package json takes the last.
func hasTwice(data []byte, name string) bool {
	return strings.Count(strings.ToLower(string(data)), name) > 1 || strings.Contains(string(data), `\u`)
}
