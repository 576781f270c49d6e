package report

import (
	"cmp"
	"slices"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
)

// shownTroubles is how many instances are explained in full. One defect often
// fails every instance of a flow, and nobody reads the same evidence fifty times.
const shownTroubles = 5

// details writes the tree and the failures of each instance in which something is
// not as it should be, then of the flows that did not happen as often as asked.
func (p *page) details(r *run.Result) {
	explained, left := p.explained(r)
	for i := range r.Files {
		for j := range r.Files[i].Flows {
			f := &r.Files[i].Flows[j]
			for k := range f.Instances {
				if in := &f.Instances[k]; explained[in] {
					p.instance(in)
				}
			}
			p.blocks(scene{}, f.Overall())
		}
	}
	if left > 0 {
		p.blank()
		p.line(0, text("… and "+count(left, "more flow")+" with failures, all of which -v explains"))
	}
}

// explained chooses the instances that are explained, the gravest if there are too many,
// and counts the others.
func (p *page) explained(r *run.Result) (chosen map[*run.InstanceResult]bool, left int) {
	var all []*run.InstanceResult
	for i := range r.Files {
		for j := range r.Files[i].Flows {
			for k := range r.Files[i].Flows[j].Instances {
				if in := &r.Files[i].Flows[j].Instances[k]; p.troubled(in.Verdicts) {
					all = append(all, in)
				}
			}
		}
	}
	if left = len(all) - shownTroubles; left > 0 && !p.settings.Verbose {
		slices.SortStableFunc(all, func(a, b *run.InstanceResult) int { return cmp.Compare(p.worst(b), p.worst(a)) })
		all = all[:shownTroubles]
	} else {
		left = 0
	}
	chosen = map[*run.InstanceResult]bool{}
	for _, in := range all {
		chosen[in] = true
	}
	return chosen, left
}

// worst is the gravity of the gravest verdict.
func (p *page) worst(in *run.InstanceResult) (gravity int) {
	for i := range in.Verdicts {
		gravity = max(gravity, p.gravity(&in.Verdicts[i]))
	}
	return gravity
}

// instance writes the tree of a flow, unless only warnings were found, and its
// failures, the gravest last.
func (p *page) instance(in *run.InstanceResult) {
	s := sceneOf(in)
	if s.exists() && (s.flow.Len() > 0 || s.flow.Evicted()) && slices.ContainsFunc(in.Verdicts, p.failed) {
		p.blank()
		p.line(0, painted(bold, s.flow.Declaration), text("   flow "+s.flow.ID))
		p.tree(s, marksOf(p, in.Verdicts))
	}
	p.blocks(s, in.Verdicts)
}

func (p *page) failed(v assertions.Verdict) bool { return p.gravity(&v) > 1 }

// gravity orders verdicts by how much they matter: 0 is nothing to explain, 1 a
// warning.
func (p *page) gravity(v *assertions.Verdict) int {
	switch {
	case v.Outcome == assertions.Pass, v.Outcome == assertions.NotApplicable:
		return 0
	case v.Assertion.Severity == assertions.SeverityWarn && !p.settings.Strict:
		return 1
	case v.Outcome == assertions.Errored:
		return 3
	case v.Outcome == assertions.Fail:
		return 4
	}
	return 2
}

func (p *page) blocks(s scene, verdicts []assertions.Verdict) {
	var grave []*assertions.Verdict
	for i := range verdicts {
		if p.gravity(&verdicts[i]) > 0 {
			grave = append(grave, &verdicts[i])
		}
	}
	slices.SortStableFunc(grave, func(a, b *assertions.Verdict) int { return cmp.Compare(p.gravity(a), p.gravity(b)) })
	for _, group := range p.alike(grave) {
		p.blank()
		if len(group) > 1 {
			p.together(s, group)
		} else {
			p.block(s, group[0])
		}
	}
}
