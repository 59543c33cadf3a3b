package icmplib

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestNamesTravelInJSON(t *testing.T) {
	type all struct {
		P Protocol
		E RouteEnd
		S Status
	}
	for p := range protocols.Words {
		for e := range routeEnds.Words {
			want := all{Protocol(p), RouteEnd(e), StatusTTLExpired}
			text, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var got all
			if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s gives %+v, %v", text, got, err)
			}
		}
	}
	if _, err := json.Marshal(Protocol(9)); err == nil {
		t.Error("a protocol without a name has one")
	}
	var end RouteEnd
	if err := end.UnmarshalText([]byte("nowhere")); err == nil {
		t.Error("an unknown end is known")
	}
}
