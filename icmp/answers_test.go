package icmp_test

import (
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

// reply4 is the reply that answers request4.
func reply4() icmp.Reply {
	return icmp.Reply{
		Message: icmp.Message{Type: icmp.V4EchoReply, ID: 1, Sequence: 2},
		Source:  target4,
	}
}

// exceeded4 is an error that quotes request4.
func exceeded4() icmp.Reply {
	return icmp.Reply{
		Message: icmp.Message{Type: icmp.V4TimeExceeded, Quote: icmp.Quote{
			Destination: target4, Protocol: icmp.ICMP, Type: icmp.V4EchoRequest, ID: 1, Sequence: 2,
		}},
		Source: netip.MustParseAddr("192.0.2.254"),
	}
}

func TestAnswersWantsEveryFieldToAgree(t *testing.T) {
	other := netip.MustParseAddr("203.0.113.5")
	tests := []struct {
		name   string
		reply  func() icmp.Reply
		change func(r *icmp.Reply)
		want   bool
	}{
		{"its reply", reply4, func(*icmp.Reply) {}, true},
		{"another id", reply4, func(r *icmp.Reply) { r.ID++ }, false},
		{"another sequence number", reply4, func(r *icmp.Reply) { r.Sequence++ }, false},
		{"another source", reply4, func(r *icmp.Reply) { r.Source = other }, false},
		{"a reply of the other version", reply4, func(r *icmp.Reply) { r.Type = icmp.V6EchoReply }, false},
		{"a request instead of a reply", reply4, func(r *icmp.Reply) { r.Type = icmp.V4EchoRequest }, false},
		{"an error about it", exceeded4, func(*icmp.Reply) {}, true},
		{"an error about another id", exceeded4, func(r *icmp.Reply) { r.Quote.ID++ }, false},
		{"an error about another sequence number", exceeded4, func(r *icmp.Reply) { r.Quote.Sequence++ }, false},
		{"an error about another destination", exceeded4, func(r *icmp.Reply) { r.Quote.Destination = other }, false},
		{"an error about a reply", exceeded4, func(r *icmp.Reply) { r.Quote.Type = icmp.V4EchoReply }, false},
		{"an error about UDP", exceeded4, func(r *icmp.Reply) { r.Quote.Type = 0 }, false},
		{"a source quench is advice", exceeded4, func(r *icmp.Reply) { r.Type = icmp.V4SourceQuench }, false},
		{"a timestamp reply", reply4, func(r *icmp.Reply) { r.Type = icmp.V4TimestampReply; r.Quote = exceeded4().Quote }, false},
		{"a redirect is advice", exceeded4, func(r *icmp.Reply) { r.Type = icmp.V4Redirect }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reply := tt.reply()
			tt.change(&reply)
			req := icmp.Request{Destination: target4, ID: 1, Sequence: 2}
			if got := req.Answers(&reply); got != tt.want {
				t.Errorf("Answers = %v", got)
			}
		})
	}
}

func TestAnswersKnowsAddressesThatOthersAnswerFor(t *testing.T) {
	tests := []struct {
		name         string
		to, from     string
		wantAnswered bool
	}{
		{"limited broadcast", "255.255.255.255", "192.0.2.9", true},
		{"multicast", "224.0.0.1", "192.0.2.9", true},
		{"IPv6 multicast", "ff02::1%eth0", "fe80::9%eth0", true},
		{"0.0.0.0 stands for loopback", "0.0.0.0", "127.0.0.1", true},
		{"and for nothing else", "0.0.0.0", "192.0.2.9", false},
		{":: stands for loopback", "::", "::1", true},
		{"an IPv4 address in IPv6", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"multicast of IPv4 in IPv6", "::ffff:224.0.0.1", "192.0.2.1", true},
		{"a zone that only the reply knows", "fe80::1", "fe80::1%eth0", true},
		{"a zone that the reply does not know", "fe80::1%eth0", "fe80::1", true},
		{"the same address on another link", "fe80::1%eth0", "fe80::1%eth1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := icmp.Request{Destination: netip.MustParseAddr(tt.to), ID: 1, Sequence: 2}
			reply := reply4()
			reply.Source = netip.MustParseAddr(tt.from)
			if reply.Source.Is6() {
				reply.Type = icmp.V6EchoReply
			}
			if got := req.Answers(&reply); got != tt.wantAnswered {
				t.Errorf("Answers = %v", got)
			}
		})
	}
}

// What goes to 0.0.0.0 goes to an address that the quote shows.
func TestAnErrorAboutTheUnspecifiedAddressAnswers(t *testing.T) {
	req := icmp.Request{Destination: netip.IPv4Unspecified(), ID: 1, Sequence: 2}
	reply := exceeded4()
	reply.Quote.Destination = netip.MustParseAddr("127.0.0.1")
	if !req.Answers(&reply) {
		t.Error("it does not answer")
	}
}
