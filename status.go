package icmplib

import (
	"fmt"
	"strconv"
)

// Status is what became of a probe, whatever its protocol and IP version. The
// zero value is [StatusUnsettled].
//
// Its words (see [Status.String]) are those of the mtr-packet protocol; where
// that protocol has no word, the word is this package's own.
type Status uint8

const (
	// StatusUnsettled: the probe was sent, and its fate was unknown when the
	// call ended.
	StatusUnsettled Status = iota

	// StatusReply: the target answered. For an ICMP probe that is an echo
	// reply, for UDP a datagram or port unreachable, for TCP SYN-ACK or RST,
	// for SCTP INIT-ACK or ABORT.
	StatusReply

	// StatusNoReply: nothing came within the timeout.
	StatusNoReply

	// StatusTTLExpired: a router saw the TTL or hop limit reach zero.
	StatusTTLExpired

	// StatusUnreachable: an ICMP destination unreachable came that is not the
	// target's answer, or this system has no way to the host (EHOSTUNREACH).
	StatusUnreachable

	// StatusNetworkUnreachable: this system has no route to the target's
	// network (ENETUNREACH).
	StatusNetworkUnreachable

	// StatusNetworkDown: the interface to send from is down (ENETDOWN), or was
	// removed (ENODEV).
	StatusNetworkDown

	// StatusHostDown: this system holds the host to be down (EHOSTDOWN).
	StatusHostDown

	// StatusPermissionDenied: this system did not permit the sending (EPERM,
	// EACCES): a firewall rule, a prohibited route, a broadcast address.
	StatusPermissionDenied

	// StatusInvalidArgument: this system does not accept the probe (EINVAL).
	StatusInvalidArgument

	// StatusAddressInUse: the source address and port are taken (EADDRINUSE).
	StatusAddressInUse

	// StatusAddressNotAvailable: the source address is not one of this
	// system's (EADDRNOTAVAIL).
	StatusAddressNotAvailable

	// StatusPacketTooBig: a link on the path takes no packet of this size,
	// which was not to be fragmented; Result.MTU says what it does take.
	StatusPacketTooBig

	// StatusParameterProblem: somebody could not make sense of a header field.
	// In a ping it informs and settles no probe (Result.Advises), but for an
	// unrecognized next header of IPv6, which is the end of a packet; in a trace
	// it is an answer as any other.
	StatusParameterProblem

	// StatusRedirect: a router knows a better first hop. It informs and
	// settles no probe, which the router forwarded all the same.
	StatusRedirect

	// StatusSourceQuench: a router asked to be sent less (deprecated by RFC
	// 6633). It informs and settles no probe.
	StatusSourceQuench

	// StatusAltered: a reply came from the right source with the right id and
	// sequence number, but without what makes the probe recognisable: it may
	// be anybody's. It informs and settles no probe.
	StatusAltered

	// StatusRefused: another address than the target's says that the UDP port is
	// closed. It is the target's own if an echo reply came from there for the target
	// (StatusReply then, see [Prober]); a firewall that rejects looks the same.
	StatusRefused

	// StatusSendError: this system refused the probe in any other way;
	// Result.Cause says how.
	StatusSendError
)

// statusWords holds the word of each Status.
var statusWords = [...]string{
	StatusUnsettled:           "unsettled",
	StatusReply:               "reply",
	StatusNoReply:             "no-reply",
	StatusTTLExpired:          "ttl-expired",
	StatusUnreachable:         "no-route-host",
	StatusNetworkUnreachable:  "no-route-network",
	StatusNetworkDown:         "network-down",
	StatusHostDown:            "host-down",
	StatusPermissionDenied:    "permission-denied",
	StatusInvalidArgument:     "invalid-argument",
	StatusAddressInUse:        "address-in-use",
	StatusAddressNotAvailable: "address-not-available",
	StatusPacketTooBig:        "packet-too-big",
	StatusParameterProblem:    "parameter-problem",
	StatusRedirect:            "redirect",
	StatusSourceQuench:        "source-quench",
	StatusAltered:             "altered",
	StatusRefused:             "refused",
	StatusSendError:           "send-error",
}

// legacyNoRoute is what mtr-packet 0.95 says for both kinds of missing route.
const legacyNoRoute = "no-route"

// String returns the word of s, such as "reply", "ttl-expired" or
// "no-route-host", and "Status(n)" for a value that has none.
func (s Status) String() string {
	if int(s) < len(statusWords) {
		return statusWords[s]
	}
	return "Status(" + strconv.Itoa(int(s)) + ")"
}

// ParseStatus returns the Status whose word is given: the inverse of
// [Status.String]. It also takes "no-route", which older versions of
// mtr-packet say, for [StatusUnreachable]. Any other word is an error.
func ParseStatus(word string) (Status, error) {
	if word == legacyNoRoute {
		return StatusUnreachable, nil
	}
	for status, known := range statusWords {
		if word == known {
			return Status(status), nil
		}
	}
	return StatusUnsettled, fmt.Errorf("unknown status %q", word)
}

// MarshalText returns the word of s, for JSON and its like. A value that has no
// word is an error.
func (s Status) MarshalText() ([]byte, error) {
	if int(s) >= len(statusWords) {
		return nil, fmt.Errorf("no word for %v", s)
	}
	return []byte(statusWords[s]), nil
}

// UnmarshalText sets s to the Status whose word is given, as [ParseStatus]
// reads it. An unknown word is an error and leaves s as it was.
func (s *Status) UnmarshalText(word []byte) error {
	parsed, err := ParseStatus(string(word))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// wordOf returns the word of a value, and another one where it has none.
func wordOf[T ~uint8](v T, words []string, none string) string {
	if int(v) < len(words) {
		return words[v]
	}
	return none
}

// setByWord sets v to the value whose word is given, from the least one on. An
// unknown word of what is an error.
func setByWord[T ~uint8](v *T, words []string, least T, word []byte, what string) error {
	for i := int(least); i < len(words); i++ {
		if string(word) == words[i] {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("unknown %s %q", what, word)
}
