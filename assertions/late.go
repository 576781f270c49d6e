package assertions

import "slices"

// Sets that are computed, which arrows are made of, look at many spans each time.
// While a flow is open they are brought up to date only for an assertion that is
// about to be asked, and their cost is its own: how often that is depends on what
// it has cost already.

// lateSets are the late sets that an assertion needs, in their order.
func (p *plan) lateSets(k *check) []int {
	needed := map[int]bool{}
	var need func(i int)
	need = func(i int) {
		s := p.sets[i]
		if needed[i] || !s.late {
			return
		}
		needed[i] = true
		need(s.base)
		visitRead(s.computed, need)
	}
	visitRead(k.that, need)
	visitRead(k.when, need)
	var out []int
	for i := range needed {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// refresh brings the late sets of an assertion up to date and returns the steps
// that this took.
func (in *Instance) refresh(late []int) (steps int) {
	for _, i := range late {
		t := in.sets[i]
		if !t.stale {
			continue
		}
		t.stale = false
		in.fillSet(i, t, nil, true)
		if t.plan.computed != nil {
			steps += in.frame.Steps()
		}
	}
	return steps
}

// refreshAll is refresh for all sets.
func (in *Instance) refreshAll() {
	for i := range in.sets {
		in.refresh([]int{i})
	}
}
