package icmp

import (
	"encoding/binary"
	"strconv"
)

const (
	classMPLS           = 1 // RFC 4950 section 3
	ctypeIncomingStack  = 1
	labelStackEntrySize = 4
)

// MPLSLabel is an entry of the label stack (RFC 3032 section 2.1) with which a
// router received the quoted packet.
type MPLSLabel struct {
	Label         uint32 // 20 bits
	TrafficClass  uint8  // 3 bits, once named EXP (RFC 5462)
	BottomOfStack bool
	TTL           uint8
}

// String returns the entry as traceroute prints it: "L=16010,E=0,S=1,T=1".
func (l MPLSLabel) String() string {
	s := 0
	if l.BottomOfStack {
		s = 1
	}
	return "L=" + strconv.Itoa(int(l.Label)) + ",E=" + strconv.Itoa(int(l.TrafficClass)) +
		",S=" + strconv.Itoa(s) + ",T=" + strconv.Itoa(int(l.TTL))
}

// AppendMPLS appends the entries of all incoming label stack objects (RFC 4950
// section 3), top of the stack first, and returns the extended slice.
func (e Extensions) AppendMPLS(dst []MPLSLabel) []MPLSLabel {
	for object := range e.Objects() {
		if object.Class != classMPLS || object.CType != ctypeIncomingStack {
			continue
		}
		for b := object.Payload; len(b) >= labelStackEntrySize; b = b[labelStackEntrySize:] {
			entry := binary.BigEndian.Uint32(b)
			dst = append(dst, MPLSLabel{
				Label:         entry >> 12,
				TrafficClass:  uint8(entry >> 9 & 7),
				BottomOfStack: entry>>8&1 == 1,
				TTL:           uint8(entry),
			})
		}
	}
	return dst
}
