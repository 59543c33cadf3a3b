// Package fields lists the fields of objects: as JSON, and for logs ([Attrs]).
//
// It writes JSON objects and reads them again without reflection: a
// list of a million hosts is written in a tenth of the time.
//
// What an object has is said once, by a list: a function that hands each field by
// name and pointer to an [Object], which writes it or sets it. So what is written
// and what is read cannot come apart. The rules:
//
//  1. Fields are written in the order of the list, and read in any order.
//  2. A field that is missing or null leaves its variable as it is, so that older JSON is
//     read; but without those that the list needs, the JSON is that of something else.
//     Fields that the list does not name are passed over.
//  3. A field of the wrong kind, or a number that its variable cannot hold, is an
//     error that names the field.
//  4. An object that stands alone has the version of its schema first. Another
//     version is refused.
//  5. What is read is set as a whole, or in case of an error not at all.
//  6. A duration is a number of milliseconds: the nearest float64, which is written in
//     full. Reading gives the nearest nanosecond.
//  7. What is figured out of other fields is written from a variable of the list's
//     own, and so is read into nothing.
package fields

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Object is a JSON object that is written or read.
type Object struct {
	b       []byte // what is written
	empty   bool   // no field of the object was written yet
	reading bool
	members []member // of the object that is read
	stack   []member // of it and of those that it is in
	next    int      // where the next field is expected among them
	err     error    // the first
}

// Codec writes and reads a type as an object that stands alone.
type Codec[T any] struct {
	Schema int // that it names; 0: none
	List   func(*T, *Object)
}

// Append appends v to b.
func (c *Codec[T]) Append(b []byte, v *T) ([]byte, error) {
	o := Object{b: append(b, '{'), empty: true}
	IntIf(&o, "schema", &c.Schema)
	c.List(v, &o)
	if o.err != nil {
		return nil, o.err
	}
	return append(o.b, '}'), nil
}

// Read sets v to the object in data. As in package json, null changes nothing.
func (c *Codec[T]) Read(data []byte, v *T) error {
	if !json.Valid(data) {
		var none json.RawMessage
		return json.Unmarshal(data, &none) // says where
	}
	value, _ := cut(skip(data))
	if isNull(value) {
		return nil
	}
	var fresh T
	o := Object{reading: true}
	o.enter("the JSON", value)
	var version int
	Int(&o, "schema", &version)
	if o.err == nil && version != 0 && version != c.Schema {
		return fmt.Errorf("JSON of schema %d: this version of icmplib reads %d; take a newer one", version, c.Schema)
	}
	if o.err == nil {
		c.List(&fresh, &o)
	}
	if o.err == nil {
		*v = fresh
	}
	return o.err
}

// Reading reports whether the object is read, so that its variables are being set.
func (o *Object) Reading() bool { return o.reading }

// Has reports whether a field is to be handed over that is written only where it
// tells something.
func (o *Object) Has(something bool) bool { return o.reading || something }

// Need has reading fail without the fields that tell what the object is. All of them are
// always written.
func (o *Object) Need(names ...string) {
	if !o.reading {
		return
	}
	next := o.next
	for _, name := range names {
		if o.find(name) == nil {
			o.Fail(fmt.Errorf("%s is missing: this is not the JSON that icmplib writes here", name))
		}
	}
	o.next = next
}

// Fail has writing or reading fail, if err is not nil.
func (o *Object) Fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// key appends the name of a field, which needs no escaping.
func (o *Object) key(name string) {
	o.separate()
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

// separate appends what stands between two fields, or elements.
func (o *Object) separate() {
	if !o.empty {
		o.b = append(o.b, ',')
	}
	o.empty = false
}

// Null writes null, for a field that is never read.
func (o *Object) Null(name string) {
	o.key(name)
	o.b = append(o.b, "null"...)
}

// open appends an opening bracket, and shut the closing one.
func (o *Object) open(bracket byte) { o.b, o.empty = append(o.b, bracket), true }

func (o *Object) shut(bracket byte) { o.b, o.empty = append(o.b, bracket), false }

// mismatch has reading fail because of a field's value.
func (o *Object) mismatch(name string, value []byte, want string) {
	o.Fail(fmt.Errorf("%s is %.40s, not %s", name, value, want))
}

// integer is the types of integers that fields have.
type integer interface {
	~int | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Int is an integer.
func Int[T integer](o *Object, name string, v *T) {
	if !o.reading {
		o.key(name)
		o.b = appendInt(o.b, *v)
		return
	}
	value := o.find(name)
	if value == nil {
		return
	}
	if n, err := strconv.ParseUint(string(value), 10, 64); err == nil && uint64(T(n)) == n && T(n) >= 0 {
		*v = T(n)
		return
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && int64(T(n)) == n && T(n) <= 0 {
		*v = T(n)
		return
	}
	o.mismatch(name, value, fmt.Sprintf("a whole number that fits %T", *v))
}

func appendInt[T integer](b []byte, n T) []byte {
	if n < 0 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// IntIf is an integer that is left out where it is 0.
func IntIf[T integer](o *Object, name string, v *T) {
	if o.Has(*v != 0) {
		Int(o, name, v)
	}
}

// Bool is true or false.
func (o *Object) Bool(name string, v *bool) {
	if !o.reading {
		o.key(name)
		o.b = strconv.AppendBool(o.b, *v)
		return
	}
	switch value := o.find(name); string(value) {
	case "":
	case "true":
		*v = true
	case "false":
		*v = false
	default:
		o.mismatch(name, value, "true or false")
	}
}

// BoolIf is true, or left out.
func (o *Object) BoolIf(name string, v *bool) {
	if o.Has(*v) {
		o.Bool(name, v)
	}
}

// Float is a number.
func (o *Object) Float(name string, v *float64) {
	if !o.reading {
		o.key(name)
		o.b = strconv.AppendFloat(o.b, *v, 'f', -1, 64)
		return
	}
	if value := o.find(name); value != nil {
		*v = o.float(name, value)
	}
}

func (o *Object) float(name string, value []byte) float64 {
	x, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		o.mismatch(name, value, "a number")
	}
	return x
}

// MS is a duration in milliseconds.
func (o *Object) MS(name string, v *time.Duration) { o.MSKnown(name, v, true) }

// MSKnown is a duration in milliseconds, and null where it is not known.
func (o *Object) MSKnown(name string, v *time.Duration, known bool) {
	switch {
	case o.reading:
		if value := o.find(name); value != nil {
			*v = nearest(o.float(name, value))
		}
	case known:
		o.key(name)
		o.b = appendMS(o.b, *v)
	default:
		o.Null(name)
	}
}

// appendMS appends a duration in milliseconds, as the shortest number that is read as the
// same float64. Of one with up to 15 digits that is what its digits say, and those are
// found without looking for the shortest.
func appendMS(b []byte, d time.Duration) []byte {
	const exact = 1e15
	if d <= -exact || d >= exact {
		return strconv.AppendFloat(b, float64(d)/float64(time.Millisecond), 'f', -1, 64)
	}
	if d < 0 {
		b, d = append(b, '-'), -d
	}
	b = strconv.AppendInt(b, int64(d/time.Millisecond), 10)
	rest := d % time.Millisecond
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit := time.Millisecond / 10; rest > 0; unit /= 10 {
		b = append(b, '0'+byte(rest/unit))
		rest %= unit
	}
	return b
}

// nearest returns the Duration nearest to so many milliseconds.
func nearest(ms float64) time.Duration {
	ns := math.Round(ms * float64(time.Millisecond))
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(ns, math.MinInt64))
}

// Durations is a list of durations in milliseconds.
func (o *Object) Durations(name string, v *[]time.Duration) {
	values(o, name, v, appendMS, func(value []byte) time.Duration { return nearest(o.float(name, value)) })
}

// values is a list of what write appends and read reads.
func values[T any](o *Object, name string, v *[]T, write func([]byte, T) []byte, read func([]byte) T) {
	if o.reading {
		for _, value := range o.elements(name) {
			*v = append(*v, read(value))
		}
		return
	}
	o.key(name)
	o.open('[')
	for _, value := range *v {
		o.separate()
		o.b = write(o.b, value)
	}
	o.shut(']')
}

// Text is a string.
func (o *Object) Text(name string, v *string) {
	if !o.reading {
		o.key(name)
		o.b = appendText(o.b, *v)
		return
	}
	if value := o.find(name); value != nil {
		*v = o.text(name, value)
	}
}

// appendText appends a string. What has to be escaped is rare, and the encoder's.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			quoted, _ := json.Marshal(text) // a string always has JSON
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

func (o *Object) text(name string, value []byte) string {
	text, ok := unquote(value)
	if !ok {
		o.mismatch(name, value, "a string")
	}
	return text
}

// Texts is a list of strings.
func (o *Object) Texts(name string, v *[]string) {
	values(o, name, v, appendText, func(value []byte) string { return o.text(name, value) })
}

// Addr is an address, "" for the zero Addr.
func (o *Object) Addr(name string, v *netip.Addr) {
	if o.reading {
		Word(o, name, v)
		return
	}
	if v.Zone() != "" { // of any letters
		text := v.String()
		o.Text(name, &text)
		return
	}
	o.key(name)
	o.b = append(o.b, '"')
	if v.IsValid() {
		o.b = v.AppendTo(o.b)
	}
	o.b = append(o.b, '"')
}

// AddrIf is an address that is left out where there is none.
func (o *Object) AddrIf(name string, v *netip.Addr) {
	if o.Has(v.IsValid()) {
		o.Addr(name, v)
	}
}

// Word is what marshals to a text, as most enumerations and moments do.
func Word[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}](o *Object, name string, v P) {
	if !o.reading {
		word, err := v.MarshalText()
		o.Fail(err)
		text := string(word)
		o.Text(name, &text)
		return
	}
	if value := o.find(name); value != nil {
		if err := v.UnmarshalText([]byte(o.text(name, value))); err != nil {
			o.Fail(fmt.Errorf("%s: %w", name, err))
		}
	}
}

// Error is the text of an error, and null where there is none. Of an error that is
// read only the text is left.
func (o *Object) Error(name string, v *error) {
	if o.reading {
		if value := o.find(name); value != nil {
			*v = errors.New(o.text(name, value))
		}
		return
	}
	if *v == nil {
		o.Null(name)
		return
	}
	text := (*v).Error()
	o.Text(name, &text)
}

// Number is a uint8, and null where it is not known. It reports whether it is:
// reading, whether there is a number.
func (o *Object) Number(name string, v *uint8, known bool) bool {
	if o.reading {
		known = o.find(name) != nil
	} else if !known {
		o.Null(name)
		return false
	}
	Int(o, name, v)
	return known
}

// Optional is an object that is left out where the pointer is nil.
func Optional[T any](o *Object, name string, v **T, list func(*T, *Object)) {
	if o.reading {
		if value := o.find(name); value != nil {
			*v = new(T)
			read(o, name, value, *v, list)
		}
		return
	}
	if *v == nil {
		return
	}
	o.key(name)
	o.open('{')
	list(*v, o)
	o.shut('}')
}

// List is a list of objects.
func List[T any](o *Object, name string, v *[]T, list func(*T, *Object)) {
	if o.reading {
		for _, value := range o.elements(name) {
			*v = append(*v, *new(T))
			read(o, name, value, &(*v)[len(*v)-1], list)
		}
		return
	}
	o.key(name)
	o.open('[')
	for i := range *v {
		o.separate()
		o.open('{')
		list(&(*v)[i], o)
		o.shut('}')
	}
	o.shut(']')
}

// ListIf is a list of objects that is left out where it is empty.
func ListIf[T any](o *Object, name string, v *[]T, list func(*T, *Object)) {
	if o.Has(len(*v) > 0) {
		List(o, name, v, list)
	}
}

// Values is a list of what package json knows how to write and read, for what is so
// rare that reflection does not count.
func Values[T any](o *Object, name string, v *[]T) {
	if o.reading {
		if value := o.find(name); value != nil {
			if err := json.Unmarshal(value, v); err != nil {
				o.Fail(fmt.Errorf("%s: %w", name, err))
			}
		}
		return
	}
	o.key(name)
	o.open('[')
	for i := range *v {
		o.separate()
		value, err := json.Marshal(&(*v)[i])
		o.Fail(err)
		o.b = append(o.b, value...)
	}
	o.shut(']')
}
