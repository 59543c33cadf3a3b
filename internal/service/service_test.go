package service

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	testMark  = 0x1234
	testNonce = 0x0123456789abcdef
)

func newQuery(t testing.TB, kind Kind, name string) (*Query, []byte) {
	t.Helper()
	q, err := New(kind, name)
	if err != nil {
		t.Fatal(err)
	}
	return &q, q.AppendTo(nil, testMark, testNonce)
}

func TestADNSQueryAsksForTheNameWithACookie(t *testing.T) {
	for name, want := range map[string]struct {
		name string
		kind dnsmessage.Type
	}{
		"": {".", dnsmessage.TypeNS}, ".": {".", dnsmessage.TypeNS},
		"example.net": {"example.net.", dnsmessage.TypeA}, "a.example.net.": {"a.example.net.", dnsmessage.TypeA},
	} {
		q, sent := newQuery(t, DNS, name)
		var m dnsmessage.Message
		if err := m.Unpack(sent); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if m.ID != testMark || m.Response || !m.RecursionDesired || len(m.Questions) != 1 || len(m.Additionals) != 1 {
			t.Fatalf("%q: %+v", name, m)
		}
		if got := m.Questions[0]; got.Name.String() != want.name || got.Type != want.kind || got.Class != dnsmessage.ClassINET {
			t.Errorf("%q asks %v", name, got)
		}
		options := m.Additionals[0].Body.(*dnsmessage.OPTResource).Options
		if len(options) != 1 || options[0].Code != dnsCookie || binary.BigEndian.Uint64(options[0].Data) != testNonce {
			t.Errorf("%q has the options %v", name, options)
		}
		if q.Free()%2 != 0 || q.Free() < q.cookieAt() || q.Free()+freeSize > q.Len() {
			t.Errorf("%q: the free bytes are at %d of %d", name, q.Free(), q.Len())
		}
	}
}

func TestANameThatNoQueryCanHaveIsRefused(t *testing.T) {
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61)
	for _, name := range []string{strings.Repeat("a", 63), longest, longest + "."} {
		if _, err := New(DNS, name); err != nil {
			t.Errorf("%q is refused: %v", name, err)
		}
	}
	for _, name := range []string{longest + "a", "..", "a..b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", ".a"} {
		if _, err := New(DNS, name); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

// answerDNS is the answer of a server with records, and with a cookie or none.
func answerDNS(t testing.TB, query []byte, cookie []byte) []byte {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Fatal(err)
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	root := dnsmessage.MustNewName(".")
	for range 3 {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: root, Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.NSResource{NS: dnsmessage.MustNewName("a.root-servers.net.")},
		})
	}
	m.Authorities = m.Answers[:1]
	if cookie != nil {
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(1232, dnsmessage.RCodeSuccess, false); err != nil {
			t.Fatal(err)
		}
		m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{Options: []dnsmessage.Option{
			{Code: 3, Data: []byte("id")}, {Code: dnsCookie, Data: append(cookie, "servers "...)},
		}}}}
	}
	answer, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// cookieSent is the cookie as the socket sends it: with the two bytes that it chose.
func cookieSent(q *Query) []byte {
	cookie := binary.BigEndian.AppendUint64(nil, testNonce)
	free := q.Free() - q.cookieAt()
	cookie[free], cookie[free+1] = 0xaa, 0x55
	return cookie
}

func answerNTP(query []byte) []byte {
	answer := make([]byte, ntpSize)
	answer[0], answer[1] = 4<<3|ntpServer, 1
	copy(answer[ntpOrigin:], query[ntpTransmit:ntpTransmit+8])
	return answer
}

// answerQUIC is as RFC 8999 section 6 has it.
func answerQUIC(query []byte) []byte {
	destination := query[6:][:query[5]]
	rest := query[6+len(destination):]
	source := rest[1:][:rest[0]]
	answer := append([]byte{0xca, 0, 0, 0, 0, byte(len(source))}, source...)
	answer = append(append(answer, byte(len(destination))), destination...)
	return append(answer, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf)
}

func TestAnAnswerHasToBringBackWhatWasSent(t *testing.T) {
	dns, asked := newQuery(t, DNS, "")
	ntp, time := newQuery(t, NTP, "")
	quic, initial := newQuery(t, QUIC, "")
	cases := []struct {
		name   string
		q      *Query
		answer []byte
		forge  map[string]func(b []byte) // each makes it the answer to another one
	}{
		{"DNS with a cookie", dns, answerDNS(t, asked, cookieSent(dns)), map[string]func([]byte){
			"id": func(b []byte) { b[1]++ }, "cookie": func(b []byte) { b[len(b)-16] ^= 1 },
			"a query": func(b []byte) { b[2] &^= 0x80 }, "opcode": func(b []byte) { b[2] |= 0x20 },
		}},
		{"DNS without", dns, answerDNS(t, asked, nil), map[string]func([]byte){"id": func(b []byte) { b[0]++ }}},
		{"NTP", ntp, answerNTP(time), map[string]func([]byte){
			"origin": func(b []byte) { b[ntpOrigin] ^= 1 }, "mark": func(b []byte) { b[ntpOrigin+7] ^= 1 },
			"mode": func(b []byte) { b[0] = 4<<3 | 3 },
		}},
		{"QUIC", quic, answerQUIC(initial), map[string]func([]byte){
			"the client's id": func(b []byte) { b[6] ^= 1 }, "the server's id": func(b []byte) { b[20] ^= 1 },
			"mark": func(b []byte) { b[15] ^= 1 }, "a version": func(b []byte) { b[4] = 1 },
			"length of the client's id": func(b []byte) { b[5]++ }, "length of the server's id": func(b []byte) { b[14]++ }, "a short header": func(b []byte) { b[0] = 0x40 },
		}},
	}
	for _, tc := range cases {
		if mark, ok := MarkOfAnswer(tc.q.Kind(), tc.answer); !ok || mark != testMark || !tc.q.Answers(tc.answer, testMark, testNonce) {
			t.Errorf("%s: the answer is not taken: mark %x, %v", tc.name, mark, ok)
		}
		if tc.q.Answers(tc.answer, testMark+1, testNonce) {
			t.Errorf("%s: it is taken for that to another probe", tc.name)
		}
		for what, change := range tc.forge {
			forged := append([]byte(nil), tc.answer...)
			if change(forged); tc.q.Answers(forged, testMark, testNonce) {
				t.Errorf("%s: one with another %s is taken", tc.name, what)
			}
		}
	}
}

func TestAQuoteHasToAgreeAsFarAsItReaches(t *testing.T) {
	for kind, from := range map[Kind]int{DNS: 2, NTP: 42, QUIC: 10} { // from there on it proves something
		q, sent := newQuery(t, kind, "")
		sent[q.Free()], sent[q.Free()+1] = 0xaa, 0x55 // as the socket chose
		for k := range len(sent) + 1 {
			agrees, proven := q.Agrees(sent[:k], testMark, testNonce)
			if !agrees || proven != (k >= from) {
				t.Errorf("%v: of %d quoted bytes: %v, %v", kind, k, agrees, proven)
			}
		}
		if agrees, _ := q.Agrees(sent, testMark, testNonce+1<<32); agrees {
			t.Errorf("%v: another nonce agrees", kind)
		}
		if mark, ok := MarkOfQuote(kind, sent); !ok || mark != testMark {
			t.Errorf("%v: the quoted mark is %x, %v", kind, mark, ok)
		}
	}
	for kind, need := range map[Kind]int{DNS: 2, NTP: 48, QUIC: 8} {
		_, sent := newQuery(t, kind, "")
		for k := range len(sent) {
			if mark, ok := MarkOfQuote(kind, sent[:k:k]); ok != (k >= need) || ok && mark != testMark {
				t.Errorf("%v: of %d quoted bytes: %x, %v", kind, k, mark, ok)
			}
		}
	}
	for _, kind := range []Kind{None, kinds, kinds + 1} {
		if _, ok := MarkOfQuote(kind, make([]byte, 100)); ok {
			t.Errorf("the quote of no service, %d, has a mark", kind)
		}
	}
}

// An answer that ends early is none if its mark is not whole, and is never read behind
// its end. Of DNS the identifier has to do where the cookie is not whole.
func TestAnAnswerThatEndsEarly(t *testing.T) {
	dns, asked := newQuery(t, DNS, "")
	ntp, time := newQuery(t, NTP, "")
	quic, initial := newQuery(t, QUIC, "")
	for _, tt := range []struct {
		q      *Query
		answer []byte
		need   int
	}{
		{dns, answerDNS(t, asked, cookieSent(dns)), 12}, {ntp, answerNTP(time), 48}, {quic, answerQUIC(initial), 25},
	} {
		for k := range len(tt.answer) + 1 {
			answer := tt.answer[:k:k]
			if _, ok := MarkOfAnswer(tt.q.Kind(), answer); ok != (k >= tt.need) || tt.q.Answers(answer, testMark, testNonce) != ok {
				t.Errorf("%d: %d bytes have the form of an answer: %v", tt.q.Kind(), k, ok)
			}
		}
	}
}

func TestTheCookieAmongOptions(t *testing.T) {
	for options, want := range map[string]string{
		"":                                         "",
		"\x00\x0a\x00\x0812345678":                 "12345678",
		"\x00\x0a\x00\x0a12345678ab":               "12345678",
		"\x00\x0a\x00\x0412345678":                 "",
		"\x00\x0a\x00\x0912345678":                 "",
		"\x00\x03\x00\x0812345678":                 "",
		"\x00\x03\x00\x00\x00\x0a\x00\x0812345678": "12345678",
		"\x00\x0a\x00":                             "",
	} {
		if got := string(cookieIn([]byte(options))); got != want {
			t.Errorf("%q: %q, want %q", options, got, want)
		}
	}
}

func TestWhatIsBehindAName(t *testing.T) {
	label := strings.Repeat("a", 63)
	for name, want := range map[string]string{
		"\x00!": "!", "\x03abc\x00!": "!", "\x01a\x02bc\x00!": "!", "\xc0\x0c!": "!", "\x01a\xc0\x0c!": "!", "\x3f" + label + "\x00!": "!",
		"": "none", "\x01a": "none", "\x05a": "none", "\xc0": "none", "\x40a" + label + "\x00!": "none", "\x80\x00!": "none", "\xc0\x0c": "", "\x00": "",
	} {
		rest := skipName([]byte(name)[:len(name):len(name)])
		if got := string(rest); rest == nil && want != "none" || rest != nil && got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestARequestForTheTimeSaysNothingOfTheClient(t *testing.T) {
	q, sent := newQuery(t, NTP, "")
	want := make([]byte, 48)
	want[0], want[3] = 0x23, 0x20 // version 4, mode 3; a precision
	binary.BigEndian.PutUint64(want[40:], testNonce&^0xffff|testMark)
	if !bytes.Equal(sent, want) || q.Free() != 22 {
		t.Errorf("% x, with free bytes at %d", sent, q.Free())
	}
}

func TestAnInitialIsAsLongAsItHasToBe(t *testing.T) {
	_, sent := newQuery(t, QUIC, "")
	if v := binary.BigEndian.Uint32(sent[1:]); len(sent) != 1200 || sent[5] < 8 || v&0x0f0f0f0f != 0x0a0a0a0a {
		t.Errorf("%d bytes, an ID of %d, version %x", len(sent), sent[5], v)
	}
	// RFC 9000 section 17.2.2: the type, no token, and the length of all that follows.
	if sent[0] != 0xc3 || sent[25] != 0 || binary.BigEndian.Uint16(sent[26:])&0x3fff != 1200-28 || sent[26]>>6 != 1 {
		t.Errorf("% x", sent[:28])
	}
}

func TestAMarkLeadsBackToItsNumberAndDiffersFromHostToHost(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	same := 0
	for n := range uint16(64) {
		if Mark(Mark(n, a), a) != n {
			t.Fatalf("the mark of %d leads to %d", n, Mark(Mark(n, a), a))
		}
		if host := netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}); Mark(7, host) == Mark(7, b) {
			same++
		}
	}
	if same > 3 {
		t.Errorf("%d of 64 hosts have the same marks", same)
	}
}

// An answer is read without a look behind its end, and never agrees by chance.
func FuzzAnswers(f *testing.F) {
	dns, asked := newQuery(f, DNS, "")
	ntp, time := newQuery(f, NTP, "")
	quic, initial := newQuery(f, QUIC, "")
	f.Add(answerDNS(f, asked, cookieSent(dns)), uint8(DNS))
	f.Add(answerNTP(time), uint8(NTP))
	f.Add(answerQUIC(initial), uint8(QUIC))
	f.Fuzz(func(t *testing.T, answer []byte, kind uint8) {
		q := map[Kind]*Query{DNS: dns, NTP: ntp, QUIC: quic}[Kind(kind)]
		if q == nil {
			return
		}
		mark, ok := MarkOfAnswer(q.Kind(), answer)
		if takes := q.Answers(answer, testMark, testNonce); takes && (!ok || mark != testMark) {
			t.Errorf("taken with mark %x, %v", mark, ok)
		}
		q.Agrees(answer, testMark, testNonce)
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, kind := range []Kind{DNS, NTP, QUIC} {
		q, buf := newQuery(b, kind, "")
		b.Run([]string{DNS: "DNS", NTP: "NTP", QUIC: "QUIC"}[kind], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = q.AppendTo(buf[:0], testMark, testNonce)
			}
		})
	}
}
