package cadence

import "testing"

// fates are probes in the order in which their fates came to be known: a letter for
// each, a number for which.
func TestThePulseOfAHost(t *testing.T) {
	type step struct {
		number int
		fate   Fate
		change Change
		also   Change
	}
	const down, stuck = 3, 5
	for _, tt := range []struct {
		rule  string
		steps []step
	}{
		{"1: the first answer", []step{{0, Answered, Up, None}, {1, Answered, None, None}}},
		{"2: a row that never began with an answer", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}}},
		{"2: a row of errors", []step{{0, Answered, Up, None}, {1, Failed, None, None}, {2, Failed, None, None}, {3, Failed, Down, None}}},
		{"2: an answer breaks it", []step{{0, Answered, Up, None}, {1, Silent, None, None}, {2, Silent, None, None}, {3, Answered, None, None}, {4, Silent, None, None}, {5, Silent, None, None}}},
		{"3: silence that is known late", []step{{5, Answered, Up, None}, {2, Silent, None, None}, {3, Silent, None, None}, {4, Silent, None, None}, {6, Silent, None, None}, {7, Silent, None, None}, {8, Silent, Down, None}}},
		{"4: again", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Answered, Up, None}}},
		{"5: down once", []step{{0, Failed, None, None}, {1, Failed, None, None}, {2, Failed, Down, None}, {3, Failed, None, None}, {4, Failed, None, None}, {5, Failed, None, None}}},
		{"6: stuck, and again when the row is twice as long", []step{
			{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}, {4, Silent, None, Stuck},
			{5, Silent, None, None}, {6, Silent, None, None}, {7, Silent, None, None}, {8, Silent, None, None}, {9, Silent, None, Stuck},
		}},
		{"6: an error is no silence", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}, {4, Failed, None, None}, {5, Silent, None, None}}},
	} {
		var p Pulse
		for i, s := range tt.steps {
			if change, also := p.Observe(s.number, s.fate, down, stuck); change != s.change || also != s.also {
				t.Errorf("%s: step %d gives %v and %v, want %v and %v", tt.rule, i, change, also, s.change, s.also)
			}
		}
	}
	var p Pulse
	for i := range 100 {
		if _, also := p.Observe(i, Silent, 3, 0); also != None {
			t.Error("stuck where that was turned off")
		}
	}
}
