package icmplib

import "github.com/goicmp/icmplib/internal/words"

// Status is how a probe ended, whatever its protocol and IP version. The zero value is
// [StatusUnsettled].
//
// Its words (see [Status.String]) are those of the mtr-packet protocol, and this package's
// own where that protocol has none.
type Status uint8

const (
	// StatusUnsettled: the probe was sent, and was neither answered nor timed out when the
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

	// StatusUnreachable: an ICMP destination unreachable came that is not the target's own
	// answer, or this system cannot reach the host (EHOSTUNREACH).
	StatusUnreachable

	// StatusNetworkUnreachable: this system has no route to the target's
	// network (ENETUNREACH).
	StatusNetworkUnreachable

	// StatusNetworkDown: the interface to send from is down (ENETDOWN), or was
	// removed (ENODEV).
	StatusNetworkDown

	// StatusHostDown: this system considers the host to be down (EHOSTDOWN).
	StatusHostDown

	// StatusPermissionDenied: this system did not permit the send (EPERM, EACCES), because
	// of a firewall rule, a prohibited route or a broadcast address.
	StatusPermissionDenied

	// StatusInvalidArgument: this system does not accept the probe (EINVAL).
	StatusInvalidArgument

	// StatusAddressInUse: the source address and port are taken (EADDRINUSE).
	StatusAddressInUse

	// StatusAddressNotAvailable: the source address is not one of this
	// system's (EADDRNOTAVAIL).
	StatusAddressNotAvailable

	// StatusPacketTooBig: the packet must not be fragmented and is too big for a link on
	// the path; Result.MTU is the size that fits.
	StatusPacketTooBig

	// StatusParameterProblem: a node did not understand a header field. In a ping it
	// informs and settles no probe (Result.Advises), except for an unrecognized next header
	// of IPv6, which ends a packet. In a trace it is an answer like any other.
	StatusParameterProblem

	// StatusRedirect: a router knows a better first hop. It informs and settles no probe,
	// because the router forwarded the probe.
	StatusRedirect

	// StatusSourceQuench: a router asked this host to send less (deprecated by RFC 6633).
	// It informs and settles no probe.
	StatusSourceQuench

	// StatusAltered: a reply came from the right source with the right id and sequence
	// number, but without the nonce of the probe, so it may come from anyone. It informs
	// and settles no probe.
	StatusAltered

	// StatusRefused: an address other than the target's reports that the UDP port is
	// closed. If an echo reply for the target came from there before, it is the target's
	// own address, and the status is StatusReply (see [Prober]). A firewall that rejects
	// looks the same.
	StatusRefused

	// StatusSendError: this system refused the probe for any other reason; Result.Cause
	// gives it.
	StatusSendError
)

// statuses has the word of each Status.
var statuses = words.Table[Status]{
	What: "status", Type: "Status",
	Words: []string{
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
	},
}

// legacyNoRoute is what mtr-packet 0.95 prints for both kinds of missing route.
const legacyNoRoute = "no-route"

// String returns the word of s, such as "reply", "ttl-expired" or "no-route-host", and
// "Status(n)" for a value without a word.
func (s Status) String() string { return statuses.String(s) }

// ParseStatus returns the Status with the given word. It is the inverse of [Status.String],
// and also accepts "no-route", which older versions of mtr-packet print, for
// [StatusUnreachable]. Any other word is an error.
func ParseStatus(word string) (Status, error) {
	if word == legacyNoRoute {
		return StatusUnreachable, nil
	}
	return statuses.Parse(word)
}

// MarshalText returns the word of s, as encoding/json uses it. A value without a word is an
// error.
func (s Status) MarshalText() ([]byte, error) { return statuses.Marshal(s) }

// UnmarshalText sets s to the Status with the given word, as [ParseStatus] reads it. An
// unknown word is an error and leaves s unchanged.
func (s *Status) UnmarshalText(word []byte) error {
	parsed, err := ParseStatus(string(word))
	if err == nil {
		*s = parsed
	}
	return err
}
