package netsim

import (
	"errors"
	"net/netip"
	"strings"
)

// refusalNames are the codes of ICMP errors by name, for IPv4 (RFC 792, RFC
// 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1) and IPv6 (RFC 4443 section 3).
// A zero Code: there is no such error.
var refusalNames = map[string][2]Code{
	"network":              {{3, 0}, {1, 0}},
	"host":                 {{3, 1}, {1, 3}},
	"protocol":             {{3, 2}, {4, 1}},
	"port":                 {{3, 3}, {1, 4}},
	"source-route":         {{3, 5}, {1, 7}},
	"network-unknown":      {{3, 6}, {1, 0}},
	"host-unknown":         {{3, 7}, {1, 3}},
	"host-isolated":        {{3, 8}, {}},
	"network-prohibited":   {{3, 9}, {1, 1}},
	"host-prohibited":      {{3, 10}, {1, 1}},
	"network-service":      {{3, 11}, {}},
	"host-service":         {{3, 12}, {}},
	"prohibited":           {{3, 13}, {1, 1}},
	"precedence-violation": {{3, 14}, {}},
	"precedence-cutoff":    {{3, 15}, {}},
	"scope":                {{}, {1, 2}},
	"policy":               {{}, {1, 5}},
	"reject-route":         {{}, {1, 6}},
	"quench":               {{4, 0}, {}},
	"redirect":             {{5, 1}, {137, 0}},
	"time":                 {{11, 0}, {3, 0}},
	"reassembly-time":      {{11, 1}, {3, 1}},
	"parameter":            {{12, 0}, {4, 0}},
	"option-missing":       {{12, 1}, {4, 2}},
	"bad-length":           {{12, 2}, {}},
}

var errRefusal = errors.New("an error's name, or type/code of IPv4 or of both versions with a comma, is expected")

// refusalWord is refuse=NAME or refuse=3/13 or refuse=3/13,1/1, behind which
// may stand the pointer of a parameter problem, :20, or the gateways of a
// redirect, :192.0.2.9.
func refusalWord(forwards bool) word[Node] {
	return word[Node]{value: true, when: true, read: func(n *Node, value string, when When) error {
		name, detail, _ := strings.Cut(value, ":")
		codes, ok := refusalNames[name]
		if !ok {
			var err error
			if codes, err = parseCodes(name); err != nil {
				return err
			}
		}
		r := Refusal{When: when, V4: codes[0], V6: codes[1], Forwards: forwards}
		err := r.readDetail(detail)
		n.Router.Refusals = append(n.Router.Refusals, r)
		return err
	}}
}

func (r *Refusal) readDetail(detail string) error {
	switch {
	case detail == "":
		return nil
	case r.V4.Type == 12 || r.V6.Type == 4:
		return readNumber(detail, 0, 65535, &r.Pointer)
	case r.V4.Type == redirect4 || r.V6.Type == redirect6:
		return listWord(parseAddr, func(l *[]netip.Addr) *[]netip.Addr { return l }).read(&r.Gateways, detail, When{})
	}
	return errNoValue
}

// parseCodes reads "3/13", or "3/13,1/1" of which either may be empty.
func parseCodes(s string) (codes [2]Code, err error) {
	list := strings.Split(s, ",")
	if len(list) > len(codes) {
		return codes, errRefusal
	}
	for i, item := range list {
		if item == "" {
			continue
		}
		icmpType, code, _ := strings.Cut(item, "/")
		if readNumber(icmpType, 0, 255, &codes[i].Type) != nil || readNumber(code, 0, 255, &codes[i].Code) != nil {
			return codes, errRefusal
		}
	}
	return codes, nil
}
