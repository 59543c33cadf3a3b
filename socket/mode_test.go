package socket

import (
	"encoding/json"
	"testing"
)

func TestAModeIsAWordInJSON(t *testing.T) {
	type config struct{ Mode Mode }
	for _, mode := range []Mode{Auto, Datagram, Raw} {
		b, err := json.Marshal(config{mode})
		if want := `{"Mode":"` + mode.String() + `"}`; err != nil || string(b) != want {
			t.Errorf("%v: %s, %v", mode, b, err)
		}
		back := config{Mode: 99}
		if err := json.Unmarshal(b, &back); err != nil || back.Mode != mode {
			t.Errorf("%s: %v, %v", b, back.Mode, err)
		}
	}
	if b, err := json.Marshal(config{99}); err == nil {
		t.Errorf("a mode that is none: %s", b)
	}
	kept := config{Mode: Raw}
	if err := json.Unmarshal([]byte(`{"Mode":"root"}`), &kept); err == nil || kept.Mode != Raw {
		t.Errorf("a word that is none: %v, %v", kept.Mode, err)
	}
}
