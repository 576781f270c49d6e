package assertions

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

func clone(s string) string { return strings.Clone(s) }

// explainer gathers the evidence of one verdict. It may be slow and generous: it
// runs once, and mostly for what failed.
type explainer struct {
	*Evidence
	in    *Instance
	check *checkState
	flow  trace.Flow
	frame *lang.Frame
	v     *Verdict
	lone  string // what is wrong with the only counter-example
}

// explain says why a verdict is what it is.
func (in *Instance) explain(v *Verdict, s *checkState, f trace.Flow, guard, that lang.Value) {
	if v.Outcome == Pass && !v.Vacuous {
		return
	}
	x := &explainer{Evidence: &v.Evidence, in: in, check: s, flow: f, frame: in.frame, v: v}
	in.frame.Within = s.within
	defer func() { in.frame.Within = 0 }()
	in.frame.Guard(func() {
		switch {
		case v.Outcome == Pass:
			x.vacuous()
		case v.Outcome == NotApplicable:
			x.Why = "its guard " + oneLine(s.guard.Text) + " does not hold"
		case v.Outcome == Fail:
			x.failed()
		case v.Outcome == Errored && in.nobodyCalls(s):
			x.nobody()
		case v.Outcome == Errored && that.Doubt() == nil && guard.Doubt() == nil:
			x.Why = "it is " + in.frame.Show(that) + ", which is neither true nor false"
			x.values()
		case that.Doubt() == nil && guard.Doubt() == nil || v.Outcome == Inconclusive && that.Kind() == lang.Bool:
			x.unproved(that)
		default:
			x.doubtful(guard, that)
		}
	})
	if x.Why == "" {
		x.Why = "it does not hold"
	}
}

// vacuous says what an assertion had nothing of.
func (x *explainer) vacuous() {
	if x.check.over >= 0 {
		x.Why = "there was no span to look at"
		return
	}
	x.Why = fmt.Sprintf("no span ever named %s", x.check.arrow.Callee.Name)
	x.note("Nothing in this run knows %q; if that is not what it is called, this holds for the wrong reason.", x.check.arrow.Callee.Name)
}

// nobody says that a forbidden arrow has no caller.
func (x *explainer) nobody() {
	caller := x.check.arrow.Caller
	x.Why, x.At = fmt.Sprintf("no span ever named %s, so this forbids nothing", caller.Name), caller.Range
	var known []string
	for i := range x.flow.Received() {
		known = append(known, clone(x.flow.Span(trace.Node(i)).Service()))
	}
	if near, ok := diag.Suggest(caller.Name, known); ok {
		x.Try = append(x.Try, near)
	}
}

// doubtful explains an error, or what cannot be known.
func (x *explainer) doubtful(guard, that lang.Value) {
	d, source := that.Doubt(), x.check.source
	if guard.Doubt() != nil {
		d, source = guard.Doubt(), x.check.guard
	}
	x.Why = d.Text
	if d.Try != "" {
		x.Try = append(x.Try, d.Try)
	}
	if d.To > d.From && d.To-d.From < len(source.Text) && x.check.target < 0 && !source.IsZero() {
		x.At = source.At(d.From, d.To)
	}
	if d.Why == lang.Pending {
		x.Why = "it could not be decided before the flow closed: " + d.Text
	}
	x.values()
	if d.Why == lang.Uncertain {
		x.clocks()
	}
	if d.Why == lang.Failed {
		x.readings(x.culprit(x.check.that))
	}
}

// unproved explains a finding that what is missing could overturn.
func (x *explainer) unproved(that lang.Value) {
	holds := "it holds for what arrived"
	if !that.True() {
		holds = "it does not hold for what arrived"
	}
	var reasons []string
	for _, l := range x.flow.Losses() {
		reasons = append(reasons, fmt.Sprintf("%s (%d)", l.What, l.Count))
	}
	if len(reasons) > 0 {
		x.Why = holds + ", but data was lost: " + enumerate(reasons, "and")
		return
	}
	x.Why = holds + ", but not everything arrived: " + x.edgesInWords(x.flow.OpenEdges())
	x.Try = append(x.Try, "raise timing.deadline if it only came late", "find out who did not send it: not instrumented, sampled out, or ended before it could export")
}

// failed finds the part to blame and explains it by its kind.
func (x *explainer) failed() {
	k := x.check
	switch {
	case k.assertion.Kind == KindNever:
		x.never()
	case k.assertion.Kind == KindEach:
		x.eachFailed()
	case k.assertion.Kind == KindOnly:
		x.newcomers()
	case k.arrow != nil:
		x.arrow()
	default:
		c := x.culprit(k.that)
		x.blame(c)
		x.values()
		x.part(c)
	}
}

// culprit is the innermost part of a condition because of which it does not hold.
func (x *explainer) culprit(e *lang.Expr) *lang.Expr {
	switch e.Op {
	case lang.OpAnd:
		if part := x.firstThat(e.Conjuncts(), fails); part != nil {
			return x.culprit(part)
		}
		if part := x.firstThat(e.Conjuncts(), func(v lang.Value) bool { return !v.True() }); part != nil {
			return x.culprit(part)
		}
	case lang.OpLet:
		return x.culprit(e.Args[1])
	case lang.OpIf:
		if e.Args[0].Value(x.frame).True() {
			return x.culprit(e.Args[1])
		}
		return x.culprit(e.Args[2])
	}
	return e
}

// fails reports whether a condition does not hold, whatever else arrives.
func fails(v lang.Value) bool { return v.False() || v.Kind() == lang.Missing }

func (x *explainer) firstThat(parts []*lang.Expr, is func(lang.Value) bool) *lang.Expr {
	for _, p := range parts {
		if is(p.Value(x.frame)) {
			return p
		}
	}
	return nil
}

// blame points at the culprit, unless it is all there is.
func (x *explainer) blame(c *lang.Expr) {
	if c != x.check.that && !x.check.source.IsZero() {
		x.At = x.check.source.At(c.From, c.To)
	}
}

// part explains one condition that does not hold.
func (x *explainer) part(c *lang.Expr) {
	switch {
	case c.Calls("exists"):
		x.nothing(c.Args[0])
	case c.Calls("empty"):
		x.present(c.Args[0])
	case c.Calls("all", "any", "none", "one"):
		x.closure(c)
	case c.Calls("calls", "callsDirectly", "causes"):
		x.unrelated(c, c.Args[0], c.Args[1])
	case c.Calls("causedBy"):
		x.unrelated(c, c.Args[1], c.Args[0])
	case c.Calls("before"):
		x.order(c.Args[0], c.Args[1])
	case c.Calls("after"):
		x.order(c.Args[1], c.Args[0])
	case c.Calls("followedBy", "precededBy"):
		x.following(c)
	case c.Calls("overlapping", "sequential"):
		x.concurrency(c)
	case c.Calls("inOrder"):
		x.brokenChain(c)
	case c.Calls("exactlyOnce", "atLeastOnce"):
		x.occurrences(c)
	case c.Calls("same", "conserved", "isInt", "isFloat", "isString", "isBool", "isList"):
		x.data(c)
	case c.Op == lang.OpCompare:
		x.comparison(c)
	case c.Op == lang.OpNot:
		x.negated(c)
	case c.Op == lang.OpOr:
		x.neither(c)
	default:
		x.data(c)
	}
}

// negated explains not X, where X holds.
func (x *explainer) negated(c *lang.Expr) {
	inner := c.Args[0]
	switch {
	case inner.Calls("sequential", "overlapping"):
		x.concurrency(inner)
	case inner.Calls("exists"):
		x.present(inner.Args[0])
	case inner.Calls("any"):
		x.closure(inner)
	default:
		x.Why = oneLine(inner.Text()) + " holds"
		x.readings(inner)
	}
}

// neither explains a or b, of which none holds.
func (x *explainer) neither(c *lang.Expr) {
	var whys []string
	for _, part := range disjuncts(c) {
		inner := &explainer{Evidence: &Evidence{}, in: x.in, check: x.check, flow: x.flow, frame: x.frame, v: x.v}
		inner.part(x.culprit(part))
		whys = append(whys, oneLine(part.Text())+" ("+inner.Why+")")
		if len(whys) == 1 {
			values := x.Values
			*x.Evidence = *inner.Evidence
			x.Values = values
		}
	}
	x.Why = "none of these holds: " + strings.Join(whys, "; ")
}

func disjuncts(e *lang.Expr) []*lang.Expr {
	if e.Op != lang.OpOr {
		return []*lang.Expr{e}
	}
	return append(disjuncts(e.Args[0]), disjuncts(e.Args[1])...)
}
