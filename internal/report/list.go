package report

import (
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
)

// shownInstances is how many instances of a flow that passed are listed.
const shownInstances = 3

// files writes the flows of all files with one line for each assertion.
func (p *page) files(r *run.Result) {
	for i := range r.Files {
		if i > 0 {
			p.blank()
		}
		p.line(0, painted(bold, r.Files[i].Name))
		for j := range r.Files[i].Flows {
			p.declared(&r.Files[i].Flows[j])
		}
	}
}

func (p *page) declared(f *run.FlowResult) {
	if len(f.Instances) == 0 {
		p.line(2, painted(bold, f.Name), text("   never happened"))
	}
	groups := map[string]*likeInstances{}
	var more []*likeInstances
	for i := range f.Instances {
		in := &f.Instances[i]
		good := !p.troubled(in.Verdicts)
		g := groups[outcomes(in.Verdicts, good)]
		if g == nil {
			g = &likeInstances{first: in, good: good}
			groups[outcomes(in.Verdicts, good)] = g
		}
		g.count++
		switch shown := g.count <= g.shown(); {
		case p.settings.Verbose || len(f.Instances) == 1 || shown && !good:
			p.judged(f, in)
		case shown:
			p.instanceLine(f.Name, in, fmt.Sprintf(" · %s passed", number(len(in.Verdicts))))
		case g.count == g.shown()+1:
			more = append(more, g)
		}
	}
	for _, g := range more {
		p.line(2, painted(bold, f.Name), text("   … and "+number(g.count-g.shown())+" more, "+g.words()))
	}
	if len(f.Instances) != 1 {
		p.verdictLines(4, f.Overall())
	}
}

// likeInstances are instances of a flow that passed, or whose verdicts are the same.
type likeInstances struct {
	first *run.InstanceResult
	good  bool
	count int
}

// shown is how many of them are listed, unless all are. Those that did not pass are as
// many as are explained.
func (g *likeInstances) shown() int {
	if g.good {
		return shownInstances
	}
	return shownTroubles
}

func (g *likeInstances) words() string {
	if g.good {
		return "all passed"
	}
	return "with the verdicts of flow " + g.first.Flow.ID
}

// outcomes tell instances apart that are not like each other.
func outcomes(verdicts []assertions.Verdict, good bool) string {
	if good {
		return ""
	}
	key := make([]byte, len(verdicts))
	for i := range verdicts {
		key[i] = byte(verdicts[i].Outcome)
	}
	return string(key)
}

// judged writes an instance with a line for each verdict.
func (p *page) judged(f *run.FlowResult, in *run.InstanceResult) {
	p.instanceLine(f.Name, in, "")
	p.openEdges(4, sceneOf(in))
	verdicts := in.Verdicts
	if len(f.Instances) == 1 {
		verdicts = append(slices.Clip(verdicts), f.Overall()...)
	}
	p.verdictLines(4, verdicts)
}

// troubled reports whether some verdict is neither a pass nor not applicable.
func (p *page) troubled(verdicts []assertions.Verdict) bool {
	for i := range verdicts {
		switch verdicts[i].Outcome {
		case assertions.Pass, assertions.NotApplicable:
		default:
			return true
		}
	}
	return false
}

func (p *page) instanceLine(name string, in *run.InstanceResult, more string) {
	s := sceneOf(in)
	if !s.exists() {
		p.line(2, painted(bold, name))
		return
	}
	p.line(2, painted(bold, name), text("   flow "+s.flow.ID+" · "+s.size()+" · "+s.closed()+more))
}

// verdictLines writes one line for each verdict: the word, the assertion, and what
// decided it or what is wrong.
func (p *page) verdictLines(indent int, verdicts []assertions.Verdict) {
	word, name := 4, 0
	for i := range verdicts {
		w, _ := p.word(&verdicts[i])
		word = max(word, p.cells(w))
		name = max(name, p.cells(verdicts[i].Assertion.Name))
	}
	name = min(name, (p.width-indent)/2)
	for i := range verdicts {
		v := &verdicts[i]
		w, c := p.word(v)
		why := painted(dim, decided(v))
		if v.Outcome != assertions.Pass {
			why = text(v.Explanation().Why)
		}
		p.line(indent, painted(c, p.pad(w, word)), text("  "+p.pad(v.Assertion.Name, name)+"  "), why)
	}
}

// word is what a verdict is called, and its colour.
func (p *page) word(v *assertions.Verdict) (string, paint) {
	switch {
	case v.Outcome == assertions.Pass:
		return "ok", green
	case v.Outcome == assertions.NotApplicable:
		return "n/a", dim
	case v.Assertion.Severity == assertions.SeverityWarn && !p.settings.Strict:
		return "warn", yellow
	case v.Outcome == assertions.Fail:
		return "FAIL", red
	case v.Outcome == assertions.Errored:
		return "ERROR", red
	}
	return "INCONCLUSIVE", yellow
}

// decided says when a verdict was reached, and by what.
func decided(v *assertions.Verdict) string {
	s := "at closing"
	switch {
	case v.By != nil && v.At == 0: // the clock starts with the origin, often the last to come
		s = "on arrival of " + ref(v.By.Service, v.By.Name)
	case v.By != nil:
		s = offset(v.At) + " by " + ref(v.By.Service, v.By.Name)
	case v.At > 0:
		s = offset(v.At) + " at closing"
	}
	if v.Vacuous {
		return "vacuous: nothing to look at · " + s
	}
	if v.Grade != assertions.NoAbsence {
		s += " · absence: " + v.Grade.String()
	}
	return s
}
