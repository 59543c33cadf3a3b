package live

import (
	"testing"

	"github.com/goicmp/icmplib"
)

// What was not sent is a part of the loss, and has a usual column once there is any,
// however narrow the screen is.
func TestWhatWasNotSentIsAUsualColumn(t *testing.T) {
	for unsent := range 2 {
		hop := &icmplib.Hop{Distance: 1}
		hop.PacketsSent, hop.PacketsReceived, hop.SendErrors = 3, 3, unsent
		for _, width := range []int{60, 80, 200} {
			f := fitted(columnSets[0].columns, []row{{label: "10.0.0.1", hop: hop}}, width)
			shown := 0
			for _, c := range f.columns {
				if c.title == unsentColumn.title {
					shown++
				}
			}
			if shown != unsent {
				t.Errorf("%d not sent, %d columns wide: it is shown %d times", unsent, width, shown)
			}
		}
		if got := Loss(&hop.Stats); (got == "0.0") != (unsent == 0) {
			t.Errorf("%d not sent of %d: the loss is %s", unsent, 3+unsent, got)
		}
	}
}
