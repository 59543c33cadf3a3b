package sockets

import (
	"testing"

	"github.com/goicmp/icmplib/internal/engine"
)

// manyFlows is more than a block.
const manyFlows = 512

func TestFlowsDiffer(t *testing.T) {
	sums, labels := map[uint16]bool{}, map[[2]uint32]bool{}
	for number := range manyFlows {
		sums[FlowSum(0xfff0, number)] = true
		for _, label := range []uint32{0, 0xfffff} {
			f := Flow(engine.Flow{SourcePort: 9, DestinationPort: 80, Label: label}, number, true)
			if f.Label == 0 || f.Label > 0xfffff || f.SourcePort != 0 || f.DestinationPort != 80 || int(f.Offset) != number%FlowsPerBlock {
				t.Errorf("%d: %+v", number, f)
			}
			labels[[2]uint32{label, f.Label}] = true
		}
	}
	if sums[0xffff] || len(sums) != manyFlows || len(labels) < 2*manyFlows-1 {
		t.Errorf("%d flows have %d sums and %d labels", manyFlows, len(sums), len(labels))
	}
	if f := Flow(engine.Flow{Label: 7}, 3, false); f.Label != 7 {
		t.Errorf("without labels: %+v", f)
	}
}

func TestTheBlockOfAFlow(t *testing.T) {
	for _, tt := range []struct {
		firstPort    uint16
		number, most int
		block, ports int
		wantFirst    uint16
	}{
		{0, 0, 0, 0, 64, 0},
		{0, 63, 70, 0, 64, 0},
		{0, 64, 70, 1, 64, 0},
		{1000, 64, 0, 1, 64, 1064},
		{1000, 3, 10, 0, 10, 1000},
		{1000, 65, 70, 1, 6, 1064},
	} {
		s := Spec{FirstPort: tt.firstPort}
		if block := s.ForFlow(tt.number, tt.most); block != tt.block || s.Ports != tt.ports || s.FirstPort != tt.wantFirst {
			t.Errorf("%+v: block %d, %+v", tt, block, s)
		}
	}
}
