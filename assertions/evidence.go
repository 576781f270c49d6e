package assertions

import (
	"fmt"
	"slices"
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
	// lacks is a set of which a closure within another needed a span.
	lacks *setPlan
	all   []trace.Node // see members
}

// members are the spans of the flow by their start, so that what is shown does not depend
// on which arrived first.
func (x *explainer) members() []trace.Node {
	if x.all == nil {
		x.all = x.frame.ByStart(x.in.spans)
	}
	return x.all
}

// explain says why a verdict is what it is.
func (in *Instance) explain(v *Verdict, s *checkState, f trace.Flow, guard, that lang.Value) {
	if v.Outcome == Pass && !v.Vacuous {
		return
	}
	x := &explainer{Evidence: v.explained(), in: in, check: s, flow: f, frame: in.frame, v: v}
	left := explaining
	in.frame.Within, in.frame.Left = s.within, &left
	defer func() { in.frame.Within, in.frame.Left = 0, nil }()
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
			x.unproved(guard, that)
		default:
			x.doubtful(guard, that)
		}
	})
	if x.Why == "" {
		x.Why = "it does not hold"
	}
}

// explaining is how many steps the explanation of one verdict may take. What is
// found by then is shown.
const explaining = 2 * lang.Budget

// tired reports whether these steps are used up.
func (x *explainer) tired() bool { return x.hasLess(1) }

func (x *explainer) hasLess(steps int) bool { return x.frame.Left != nil && *x.frame.Left < steps }

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
	if near, ok := diag.Suggest(caller.Name, slices.Sorted(x.flow.Services())); ok {
		x.Try = append(x.Try, near)
	}
}

// doubtful explains an error, or what cannot be known.
func (x *explainer) doubtful(guard, that lang.Value) {
	d, source, root := that.Doubt(), x.check.source, x.check.that
	if guard.Doubt() != nil {
		d, source, root = guard.Doubt(), x.check.guard, x.check.when
	}
	x.Why = d.Text
	if d.Try != "" {
		x.Try = append(x.Try, d.Try)
	}
	if part := d.To-d.From < len(source.Text); d.To > d.From && (part || guard.Doubt() != nil) && x.check.target < 0 && !source.IsZero() {
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
		if !d.Exhausted {
			x.whereFailed(d, root)
		}
	}
}

// unproved explains a finding that what is missing could overturn.
func (x *explainer) unproved(guard, that lang.Value) {
	holds := "it holds for what arrived"
	switch {
	case !guard.True():
		holds = "its guard " + oneLine(x.check.guard.Text) + " does not hold for what arrived"
	case !that.True():
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
	if len(x.flow.OpenEdges()) == 0 {
		x.Why = holds + ", but it is not proved that everything arrived: " + x.check.doubt
		x.Try = append(x.Try, "let followspan start and stop the system, with --export-batch 1, so that every process sends what it has", "or do without --require-absence=proved, so that silence is enough")
		return
	}
	x.Why = holds + ", but not everything arrived: " + x.edgesInWords(x.flow.OpenEdges())
	if !slices.ContainsFunc(x.flow.OpenEdges(), func(e trace.OpenEdge) bool { return !x.loops(e) }) {
		x.Try = append(x.Try, "mend who sent it: no span may be above itself")
		return
	}
	switch x.flow.Reason() {
	case trace.ByEndOfRecording:
	case trace.ByMemory:
		x.Try = append(x.Try, "raise --memory: the flow was judged before the recording ended, to make room")
	default:
		x.Try = append(x.Try, "raise timing.deadline if it only came late")
	}
	if call, served := x.passedOn(); call != trace.None {
		x.Try = append(x.Try, fmt.Sprintf("if a proxy stands between %s and %s that puts itself into the trace context: let it send its spans here, or pass the context on unchanged", x.name(call), x.name(served)))
	}
	x.Try = append(x.Try, "find out who did not send it: not instrumented, sampled out, or ended before it could export")
	if peer := x.silentPeer(); peer != "" {
		x.Try = append(x.Try, "if "+peer+" sends no spans at all, say so: stitch: {silent: ["+peer+"]}")
	}
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
		x.values()
		if parts := x.culprits(k.that); len(parts) > 1 {
			x.together(parts)
			return
		}
		c := x.culprit(k.that)
		x.blame(c)
		x.part(c)
	}
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
