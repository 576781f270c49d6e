package run

import "testing"

func TestKilledParentWithoutAShellLeavesNoCommand(t *testing.T) {
	w := newWitness(t)
	for _, s := range killParent(t, w, []string{"PATH=/nowhere"}, "stubborn", 2) {
		s.wantEnd()
	}
}
