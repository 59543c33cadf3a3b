package icmplib

import (
	"encoding"
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// object appends a JSON object field by field, without reflection: a list of a
// million hosts is written in a tenth of the time.
type object struct {
	b     []byte
	first bool
	err   error // the first value that has no JSON
}

// newObject begins an object that stands alone.
func newObject(b []byte) *object {
	o := &object{b: b}
	o.open()
	o.int("schema", JSONSchema)
	return o
}

// end completes the object that stands alone.
func (o *object) end() ([]byte, error) {
	o.close()
	if o.err != nil {
		return nil, o.err
	}
	return o.b, nil
}

func (o *object) open() { o.b, o.first = append(o.b, '{'), true }

func (o *object) close() { o.b, o.first = append(o.b, '}'), false }

// separate returns the bytes with what stands before element i of a list.
func (o *object) separate(i int) []byte {
	if i > 0 {
		return append(o.b, ',')
	}
	return o.b
}

// key appends the name of a field, which needs no escaping.
func (o *object) key(name string) {
	if !o.first {
		o.b = append(o.b, ',')
	}
	o.first = false
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) null(name string) {
	o.key(name)
	o.b = append(o.b, "null"...)
}

func (o *object) int(name string, n int) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, int64(n), 10)
}

func (o *object) uint(name string, n uint64) {
	o.key(name)
	o.b = strconv.AppendUint(o.b, n, 10)
}

// intIf leaves out a 0, as boolIf does a false.
func (o *object) intIf(name string, n int) {
	if n != 0 {
		o.int(name, n)
	}
}

func (o *object) bool(name string, set bool) {
	o.key(name)
	o.b = strconv.AppendBool(o.b, set)
}

func (o *object) boolIf(name string, set bool) {
	if set {
		o.bool(name, true)
	}
}

func (o *object) float(name string, x float64) {
	o.key(name)
	o.b = strconv.AppendFloat(o.b, x, 'f', -1, 64)
}

func (o *object) ms(name string, d time.Duration) {
	o.key(name)
	o.b = appendMS(o.b, d)
}

// appendMS appends a duration in milliseconds.
func appendMS(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d)/float64(time.Millisecond), 'f', -1, 64)
}

// nearestDuration returns the Duration nearest to so many milliseconds.
func nearestDuration(ms float64) time.Duration {
	ns := math.Round(ms * float64(time.Millisecond))
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(ns, math.MinInt64))
}

func (o *object) text(name, text string) {
	o.key(name)
	o.b = appendText(o.b, text)
}

// appendText appends a string. What has to be escaped is rare, and the encoder's.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(text) // a string always has JSON
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// addr writes an address, "" for the zero Addr.
func (o *object) addr(name string, a netip.Addr) {
	if a.Zone() != "" { // of any letters
		o.text(name, a.String())
		return
	}
	o.key(name)
	o.b = append(o.b, '"')
	if a.IsValid() {
		o.b = a.AppendTo(o.b)
	}
	o.b = append(o.b, '"')
}

// word writes what marshals to a text.
func (o *object) word(name string, v encoding.TextMarshaler) {
	text, err := v.MarshalText()
	if err != nil && o.err == nil {
		o.err = err
	}
	o.text(name, string(text))
}

func (o *object) error(err error) {
	if err == nil {
		o.null("error")
		return
	}
	o.text("error", err.Error())
}

// icmpType writes the number of a type, whose IP version is that of the addresses
// beside it; null where there was no ICMP message.
func (o *object) icmpType(t icmp.Type) {
	if t == 0 {
		o.null("type")
		return
	}
	o.int("type", int(t.Number()))
}

// typeOf is the inverse: the type with a number beside an address.
func typeOf(number *uint8, addr netip.Addr) icmp.Type {
	if number == nil {
		return 0
	}
	return icmp.MakeType(icmp.VersionOf(addr), *number)
}

// interfaces writes what a router tells of its interfaces.
func (o *object) interfaces(all []icmp.InterfaceInfo) {
	o.key("interfaces")
	o.b = append(o.b, '[')
	for i := range all {
		o.b = o.separate(i)
		o.open()
		o.word("role", all[i].Role)
		o.intIf("index", int(all[i].Index))
		if all[i].Address.IsValid() {
			o.addr("address", all[i].Address)
		}
		if all[i].Name != "" {
			o.text("name", all[i].Name)
		}
		o.intIf("mtu", all[i].MTU)
		o.close()
	}
	o.b = append(o.b, ']')
}

// labels writes a label stack.
func (o *object) labels(labels []icmp.MPLSLabel) {
	o.key("mpls")
	o.b = append(o.b, '[')
	for i, l := range labels {
		o.b = o.separate(i)
		o.open()
		o.int("label", int(l.Label))
		o.int("traffic_class", int(l.TrafficClass))
		o.bool("bottom_of_stack", l.BottomOfStack)
		o.int("ttl", int(l.TTL))
		o.close()
	}
	o.b = append(o.b, ']')
}
