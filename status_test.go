package icmplib

import (
	"encoding/json"
	"testing"
)

func TestStatusWords(t *testing.T) {
	tests := []struct {
		name   string
		status Status
		word   string
	}{
		{"the zero value is not settled", Status(0), "unsettled"},
		{"an answer of the target", StatusReply, "reply"},
		{"silence until the timeout", StatusNoReply, "no-reply"},
		{"a router on the path", StatusTTLExpired, "ttl-expired"},
		{"a destination unreachable", StatusUnreachable, "no-route-host"},
		{"no route to the network", StatusNetworkUnreachable, "no-route-network"},
		{"an interface that is down", StatusNetworkDown, "network-down"},
		{"a host that is down", StatusHostDown, "host-down"},
		{"a firewall of our own", StatusPermissionDenied, "permission-denied"},
		{"a probe that the system does not accept", StatusInvalidArgument, "invalid-argument"},
		{"a source port that is taken", StatusAddressInUse, "address-in-use"},
		{"a foreign source address", StatusAddressNotAvailable, "address-not-available"},
		{"a narrow link", StatusPacketTooBig, "packet-too-big"},
		{"a header that nobody understands", StatusParameterProblem, "parameter-problem"},
		{"a better first hop", StatusRedirect, "redirect"},
		{"a router that wants less", StatusSourceQuench, "source-quench"},
		{"a reply that proves nothing", StatusAltered, "altered"},
		{"a port that another address says is closed", StatusRefused, "refused"},
		{"any other refusal to send", StatusSendError, "send-error"},
	}
	if len(tests) != len(statuses.Words) {
		t.Errorf("%d words are specified, there are %d", len(tests), len(statuses.Words))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.status.String(); got != tt.word {
				t.Errorf("String() = %q, want %q", got, tt.word)
			}
			if got, err := ParseStatus(tt.word); got != tt.status || err != nil {
				t.Errorf("ParseStatus(%q) = %v, %v", tt.word, got, err)
			}
		})
	}
}

func TestStatusAcceptsTheOldWordForNoRoute(t *testing.T) {
	if got, err := ParseStatus("no-route"); got != StatusUnreachable || err != nil {
		t.Errorf(`ParseStatus("no-route") = %v, %v`, got, err)
	}
}

func TestStatusRefusesOtherWords(t *testing.T) {
	for _, word := range []string{"", "Reply", "reply ", "timeout", "Status(3)"} {
		if got, err := ParseStatus(word); err == nil || got != StatusUnsettled {
			t.Errorf("ParseStatus(%q) = %v, %v, want an error", word, got, err)
		}
	}
	none := Status(len(statuses.Words))
	if got, want := none.String(), "Status(19)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if text, err := none.MarshalText(); err == nil {
		t.Errorf("MarshalText() = %q, want an error", text)
	}
}

func TestStatusTravelsInJSONAsItsWord(t *testing.T) {
	text, err := json.Marshal(StatusTTLExpired)
	if got := string(text); got != `"ttl-expired"` || err != nil {
		t.Fatalf("Marshal = %s, %v", got, err)
	}
	var status Status
	if err := json.Unmarshal(text, &status); status != StatusTTLExpired || err != nil {
		t.Fatalf("Unmarshal = %v, %v", status, err)
	}
	if err := json.Unmarshal([]byte(`"nonsense"`), &status); status != StatusTTLExpired || err == nil {
		t.Errorf("Unmarshal of an unknown word = %v, %v, want an error and no change", status, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, word := range statuses.Words {
		f.Add(word)
	}
	f.Add(legacyNoRoute)
	f.Fuzz(func(t *testing.T, word string) {
		status, err := ParseStatus(word)
		if err == nil && status.String() != word && word != legacyNoRoute {
			t.Errorf("ParseStatus(%q) = %v", word, status)
		}
	})
}
