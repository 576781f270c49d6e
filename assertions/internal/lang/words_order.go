package lang

import (
	"fmt"
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

var limitArg = Arg{Name: "within", Kind: DurationArg, Optional: true}

var orderWords = []*Word{
	{Name: "before", Group: "order", Doc: "both have spans, and every a ends before every b starts", Args: []Arg{aArg, bArg}, Result: typ(TBool), Class: Down, Edges: true, run: runBefore},
	{Name: "after", Group: "order", Doc: "both have spans, and each of these starts after every a ended", Args: []Arg{bArg, aArg}, Result: typ(TBool), Class: Down, Edges: true, run: runAfter},
	{Name: "followedBy", Group: "order", Doc: "each a has a later b, starting within the duration after its end", Args: []Arg{aArg, bArg, limitArg}, Result: typ(TBool), Edges: true, run: runFollowedBy},
	{Name: "precededBy", Group: "order", Doc: "each b has an earlier a, ended within the duration before its start", Args: []Arg{bArg, aArg, limitArg}, Result: typ(TBool), Edges: true, run: runPrecededBy},
	{Name: "inOrder", Group: "order", Doc: "there is a choice of one span per set whose starts strictly increase", Args: []Arg{{Name: "x", Kind: SpansArg, Many: true}}, Result: typ(TBool), Edges: true, run: runInOrder},
	{Name: "overlapping", Group: "order", Doc: "all share one instant; touching ends do not overlap", Args: []Arg{spansArg}, Result: typ(TBool), Class: Down, Property: true, run: runOverlapping},
	{Name: "sequential", Group: "order", Doc: "no two overlap", Args: []Arg{spansArg}, Result: typ(TBool), Class: Down, Property: true, run: runSequential},
	{Name: "maxConcurrency", Group: "order", Doc: "how many ran at once, at the peak", Args: []Arg{spansArg}, Result: typ(TNumber), Class: Up, Property: true, run: runMaxConcurrency},
}

func runBefore(f *Frame, e *Expr) (Value, *Doubt) { return e.allBefore(f, 0, 1) }
func runAfter(f *Frame, e *Expr) (Value, *Doubt)  { return e.allBefore(f, 1, 0) }

// allBefore is false for good at the first pair that is wrong within one process
// or along a chain of calls; other clocks are asked when nothing more can come.
func (e *Expr) allBefore(f *Frame, i, j int) (Value, *Doubt) {
	a, da := e.spans(f, i)
	b, db := e.spans(f, j)
	d := worse(da, db)
	if f.wrongInProcess(a, b) || f.wrongByCalls(a, b) {
		return no, nil
	}
	if f.Open {
		return yes, worse(d, arriving) // unless a later pair, or another clock, says no
	}
	if len(a) == 0 || len(b) == 0 {
		if d != nil {
			return unknown(d), nil
		}
		return no, nil
	}
	if w := f.WrongPair(a, b); w.Order == trace.NotBefore {
		return no, nil
	} else if w.Order == trace.OrderUnknown {
		return unknown(worse(d, e.unordered(f, w))), nil
	}
	return yes, d
}

// Clocked is an order of two spans.
type Clocked struct {
	A, B trace.Node
	trace.Ordering
}

// WrongPair is a pair of which a does not end before b starts; if there is none,
// one whose order is unknown; else the pair that is closest.
func (f *Frame) WrongPair(a, b []trace.Node) Clocked {
	best := Clocked{A: trace.None, B: trace.None, Ordering: trace.Ordering{Order: trace.Before}}
	order := f.Order()
	for _, x := range f.latest(a) {
		for _, y := range f.earliest(b) {
			f.step(1)
			o := order.EndBeforeStart(x, y)
			worse := best.A == trace.None || o.Order == best.Order && o.Gap < best.Gap ||
				o.Order == trace.NotBefore && best.Order != trace.NotBefore || o.Order == trace.OrderUnknown && best.Order == trace.Before
			if worse {
				best = Clocked{x, y, o}
			}
		}
	}
	return best
}

// small is how many spans are compared one by one; of more only the last to end
// and the first to start of each process are, which decides the same on one clock.
const small = 32

func (f *Frame) latest(nodes []trace.Node) []trace.Node {
	return f.extremes(nodes, func(a, b trace.Span) bool { return a.End() > b.End() })
}

func (f *Frame) earliest(nodes []trace.Node) []trace.Node {
	return f.extremes(nodes, func(a, b trace.Span) bool { return a.Start() < b.Start() })
}

func (f *Frame) extremes(nodes []trace.Node, beyond func(a, b trace.Span) bool) []trace.Node {
	if len(nodes) <= small {
		return nodes
	}
	f.step(len(nodes))
	best := map[string]trace.Node{}
	var processes []string
	var untimed []trace.Node // of which no other one tells anything
	order := f.Order()
	for _, n := range nodes {
		if took(f.span(n)) == missing {
			untimed = append(untimed, n)
			continue
		}
		p := order.Process(n)
		if m, ok := best[p]; !ok {
			best[p] = n
			processes = append(processes, p)
		} else if beyond(f.span(n), f.span(m)) {
			best[p] = n
		}
	}
	slices.Sort(processes)
	out := make([]trace.Node, len(processes))
	for i, p := range processes {
		out[i] = best[p]
	}
	return append(out, untimed[:min(len(untimed), small)]...)
}

// wrongInProcess reports whether within some process an a ended after a b started.
func (f *Frame) wrongInProcess(a, b []trace.Node) bool {
	ends := map[string]trace.Time{}
	for _, n := range a {
		f.step(1)
		if p := f.span(n).Resource().Process(); p != "" && took(f.span(n)) != missing {
			ends[p] = max(ends[p], f.span(n).End())
		}
	}
	return slices.ContainsFunc(b, func(n trace.Node) bool {
		f.step(1)
		s := f.span(n)
		r := s.Resource()
		end, ok := ends[r.Process()]
		return ok && took(s) != missing && end > s.Start().Add(r.Resolution())
	})
}

// wrongByCalls reports whether some a is the ancestor of some b, which it then
// outlives the start of, or the other way round.
func (f *Frame) wrongByCalls(a, b []trace.Node) bool {
	if len(a) > small || len(b) > small {
		return false
	}
	related := func(x, y trace.Node) bool {
		for p, ok := f.parentNode(y); ok; p, ok = f.parentNode(p) {
			if f.step(1); p == x {
				return true
			}
		}
		return false
	}
	for _, x := range a {
		for _, y := range b {
			if related(y, x) {
				return true // b started before its descendant a did
			}
		}
	}
	return false
}

// unordered is the doubt of two moments on different clocks.
func (e *Expr) unordered(f *Frame, w Clocked) *Doubt {
	for _, n := range []trace.Node{w.A, w.B} {
		if took(f.span(n)) == missing {
			text := fmt.Sprintf("the order of %s and %s cannot be known: %s does not say when it ran", f.spanName(w.A), f.spanName(w.B), f.spanName(n))
			return &Doubt{Why: Uncertain, Text: text, From: e.From, To: e.To}
		}
	}
	text := fmt.Sprintf("the order of %s and %s cannot be known: %s apart by clocks that may differ", f.spanName(w.A), f.spanName(w.B), FormatDuration(w.Gap.Abs()))
	if w.Uncertainty >= 0 {
		text += " by " + FormatDuration(w.Uncertainty)
	}
	return &Doubt{Why: Uncertain, Text: text, From: e.From, To: e.To,
		Try: "relate them by a call, a link or a message, set host.id on both, or set timing.clock_skew if their clocks are known to agree"}
}

func runFollowedBy(f *Frame, e *Expr) (Value, *Doubt) {
	return e.each2(f, func(order Order, a, b trace.Node) trace.Ordering { return order.EndBeforeStart(a, b) })
}

func runPrecededBy(f *Frame, e *Expr) (Value, *Doubt) {
	return e.each2(f, func(order Order, b, a trace.Node) trace.Ordering { return order.EndBeforeStart(a, b) })
}

// each2 asks whether each span of argument 0 has a partner in argument 1 that
// order puts before or after it, and near enough.
func (e *Expr) each2(f *Frame, ordered func(Order, trace.Node, trace.Node) trace.Ordering) (Value, *Doubt) {
	x, dx := e.spans(f, 0)
	y, dy := e.spans(f, 1)
	limit, bounded := e.limit(f)
	if d := worse(worse(dx, dy), f.coming()); d != nil && d.Why == Pending || len(x) == 0 {
		return no, d // its class is Neither: nothing is computed that could not be final
	}
	var doubt *Doubt
	order := f.Order()
	for _, n := range x {
		best, uncertain := false, (*Doubt)(nil)
		for _, m := range y {
			f.step(1)
			o := ordered(order, n, m)
			timed := took(f.span(n)) != missing && took(f.span(m)) != missing
			if best = o.Order == trace.Before && (!bounded || timed && o.Gap <= limit); best {
				break
			}
			open := o.Order == trace.OrderUnknown || o.Order == trace.Before && !timed
			if open && (!bounded || !timed || o.Gap <= limit) && m != n {
				uncertain = e.unordered(f, Clocked{n, m, o})
			}
		}
		if !best && uncertain == nil {
			return no, worse(dx, dy)
		}
		if !best {
			doubt = worse(doubt, uncertain)
		}
	}
	if doubt != nil {
		return unknown(worse(doubt, worse(dx, dy))), nil
	}
	return yes, worse(dx, dy)
}

func (e *Expr) limit(f *Frame) (time.Duration, bool) {
	if len(e.Args) < 3 {
		return 0, false
	}
	v := e.Args[2].value(f)
	return v.Duration(), v.kind == Duration
}

// runInOrder chooses from each set the first start after the one chosen before,
// so that retries in between do not matter.
func runInOrder(f *Frame, e *Expr) (Value, *Doubt) {
	var d *Doubt
	sets := make([][]trace.Node, len(e.Args))
	for i := range e.Args {
		nodes, di := e.spans(f, i)
		sets[i], d = f.ByStart(nodes), worse(d, di)
	}
	if d = worse(d, f.coming()); d != nil && d.Why == Pending {
		return no, d
	}
	chosen, at, uncertain := f.Chain(sets)
	switch {
	case len(chosen) == len(sets):
		return yes, d
	case uncertain != nil:
		return unknown(worse(d, e.unordered(f, *uncertain))), nil
	}
	_ = at
	return no, d
}

// Chain chooses one span per set so that each starts after the one before. It
// returns the longest chain from the first set on, the set at which it broke, and
// a pair whose unknown order would be needed to go on.
func (f *Frame) Chain(sets [][]trace.Node) (chosen []trace.Node, broke int, uncertain *Clocked) {
	order := f.Order()
	// candidates of the previous set, each with the chain that led to it
	chains := [][]trace.Node{nil}
	for i, set := range sets {
		var next [][]trace.Node
		for _, n := range set {
			for _, c := range chains {
				f.step(1)
				if len(c) > 0 {
					o := order.StartBeforeStart(c[len(c)-1], n)
					if o.Order == trace.OrderUnknown && n != c[len(c)-1] && uncertain == nil {
						uncertain = &Clocked{c[len(c)-1], n, o}
					}
					if o.Order != trace.Before || n == c[len(c)-1] {
						continue
					}
				}
				next = append(next, append(slices.Clone(c), n))
				break
			}
		}
		if len(next) == 0 {
			return chains[0], i, uncertain
		}
		chains = next
	}
	return chains[0], len(sets), nil
}
