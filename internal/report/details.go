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
	troubles := 0
	for i := range r.Files {
		for j := range r.Files[i].Flows {
			f := &r.Files[i].Flows[j]
			for k := range f.Instances {
				if !p.troubled(f.Instances[k].Verdicts) {
					continue
				}
				if troubles++; troubles <= shownTroubles || p.settings.Verbose {
					p.instance(&f.Instances[k])
				}
			}
			p.blocks(scene{}, f.Overall())
		}
	}
	if left := troubles - shownTroubles; left > 0 && !p.settings.Verbose {
		p.blank()
		p.line(0, text("… and "+count(left, "more flow")+" with failures, listed above"))
	}
}

// instance writes the tree of a flow, unless only warnings were found, and its
// failures, the gravest last.
func (p *page) instance(in *run.InstanceResult) {
	s := sceneOf(in)
	if s.exists() && s.flow.Len() > 0 && slices.ContainsFunc(in.Verdicts, p.failed) {
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
