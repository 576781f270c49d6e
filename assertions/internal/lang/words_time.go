package lang

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

var numbersArg = Arg{Name: "x", Kind: NumbersArg}

var timeWords = []*Word{
	{Name: "gap", Group: "time", Doc: "b.start - a.end, of one span each", Args: []Arg{aArg, bArg}, Result: typ(TDuration), run: runGap},
	{Name: "callTime", Group: "time", Doc: "as the caller saw it: the duration of the client span, else its own", Args: []Arg{spansArg}, Result: typ(TDuration), Edges: true, run: runCallTime},
	{Name: "asyncDelay", Group: "time", Doc: "from the producer's end to the consumer's start; of a batch, from the flow's producer that ended first; where a plain call led there, from the producer above it, or from the call's start if there is none, or if one of a made the call", Args: []Arg{spansArg, optional(aArg)}, Result: typ(TDuration), Edges: true, run: runAsyncDelay},
	{Name: "total", Group: "time", Doc: "the sum of the durations", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), run: statistic(sum)},
	{Name: "longest", Group: "time", Doc: "the longest duration", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), Class: Up, run: statistic(slices.Max[[]time.Duration])},
	{Name: "shortest", Group: "time", Doc: "the shortest duration", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), Class: Down, run: statistic(slices.Min[[]time.Duration])},
	{Name: "p50", Group: "time", Whole: true, Doc: "the duration that half of them do not exceed", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), run: statistic(quantile(0.50))},
	{Name: "p95", Group: "time", Whole: true, Doc: "the duration that 95 % of them do not exceed", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), run: statistic(quantile(0.95))},
	{Name: "p99", Group: "time", Whole: true, Doc: "the duration that 99 % of them do not exceed", Args: []Arg{numbersArg, optional(keyArg)}, Result: typ(TDuration), run: statistic(quantile(0.99))},
	{Name: "criticalPath", Group: "time", Doc: "the spans that a waited for, itself included", Args: []Arg{aArg}, Result: typ(TSet), Edges: true, run: runCriticalPath},
	{Name: "criticalShare", Group: "time", Doc: "the part of a's critical path, 0 to 1, that the spans satisfying P take", Args: []Arg{aArg, closureArg}, Result: typ(TNumber), Edges: true, run: runCriticalShare},
}

// only is the single span of argument i.
func (e *Expr) only(f *Frame, i int) (trace.Node, Value, bool) {
	nodes, d := e.spans(f, i)
	switch {
	case d != nil:
		return trace.None, unknown(d), false
	case len(nodes) == 0:
		return trace.None, missing, false
	case len(nodes) > 1:
		x := e.Args[i].text
		return trace.None, e.failTry(x+".first, or all("+x+", …)", "%s wants one span, and %s has %d", e.Word.Name, x, len(nodes)), false
	}
	return nodes[0], Value{}, true
}

func runGap(f *Frame, e *Expr) (Value, *Doubt) {
	a, v, ok := e.only(f, 0)
	if !ok {
		return v, nil
	}
	b, v, ok := e.only(f, 1)
	if !ok {
		return v, nil
	}
	return f.between(a, b), nil
}

// between is the time from the end of a to the start of b, missing unless they say both.
func (f *Frame) between(a, b trace.Node) Value {
	if f.span(a).End() == 0 || f.span(b).Start() == 0 {
		return missing
	}
	return durationValue(f.span(b).Start().Sub(f.span(a).End()))
}

func runCallTime(f *Frame, e *Expr) (Value, *Doubt) { return e.commonOf(f, f.callTime), nil }

func runAsyncDelay(f *Frame, e *Expr) (Value, *Doubt) {
	var callers []trace.Node
	if len(e.Args) > 1 {
		callers, _ = e.spans(f, 1)
	}
	return e.commonOf(f, func(n trace.Node) Value { return f.AsyncDelay(n, callers) }), nil
}

// commonOf is the single value of measure over all spans of argument 0.
func (e *Expr) commonOf(f *Frame, measure func(trace.Node) Value) Value {
	nodes, d := e.spans(f, 0)
	if d != nil {
		return unknown(d)
	}
	var first Value
	for i, n := range nodes {
		f.step(1)
		v := measure(n)
		switch {
		case v.kind == Unknown:
			return v
		case i == 0:
			first = v
		case v != first:
			x := e.Args[0].text
			return e.failTry("all("+x+", "+e.Word.Name+"(it) …)", "%s has no single value over the %d spans of %s", e.Word.Name, len(nodes), x)
		}
	}
	return first
}

func (f *Frame) callTime(n trace.Node) Value {
	if f.span(n).Kind() == trace.Server {
		switch p, state := f.parentOf(n); {
		case state == awaited:
			return unknown(edgePending)
		case state == arrived && f.span(p).Kind() == trace.Client:
			n = p
		}
	}
	return took(f.span(n))
}

// AsyncDelay is how long after what Sent returns a span started.
func (f *Frame) AsyncDelay(n trace.Node, callers []trace.Node) Value {
	p, call := f.Sent(n, callers)
	if p == trace.None || f.Open && (call || f.unsettled(n, p)) {
		if f.Open {
			return unknown(edgePending)
		}
		return missing
	}
	if f.span(n).Start() == 0 || f.span(p).End() == 0 {
		return missing
	}
	if call {
		v := durationValue(f.Order().StartBeforeStart(p, n).Gap)
		if f.span(p).Kind() != trace.Client {
			v.motion, v.ref = Falling, f.untold(p, n)
		}
		return v
	}
	if !f.Open {
		return durationValue(f.Order().EndToStart(p, n))
	}
	if host := f.span(n).Resource().Host(); host == "" || host != f.span(p).Resource().Host() {
		return unknown(arriving) // what arrives may tell of their clocks
	}
	v := durationValue(f.span(n).Start().Sub(f.span(p).End()))
	v.motion, v.ref = Rising, arriving // a producer that ended earlier may yet arrive
	return v
}

// unsettled reports whether a link or a message of n, or of a span between it and what it
// seems to follow from, may yet lead elsewhere.
func (f *Frame) unsettled(n, sent trace.Node) bool {
	for at, ok := n, true; ok && at != sent && f.firstSent(at) == trace.None; at, ok = f.parentNode(at) {
		f.step(1)
		if _, key := anywhere.lookup(f.span(at), trace.Aliases("messaging.message.id")); key != "" {
			return true
		}
		for range f.span(at).Links() {
			return true
		}
	}
	return false
}

// untold is the doubt of when a call was made of which no client span tells: not before
// its caller started.
func (f *Frame) untold(caller, called trace.Node) *Doubt {
	return &Doubt{Why: Uncertain, Text: fmt.Sprintf("when %s called %s is not known: no client span tells", f.spanName(caller), f.spanName(called))}
}

// Sent is the span whose message or link a span follows from, None if there is none: the
// nearest above it. A consumer of a batch follows from several: it is the first to end of
// those in the flow, whose message waited longest. Where a plain call comes before any
// message, it is that call if one of the callers made it, or if there is no message above
// it, either: then call is true.
func (f *Frame) Sent(n trace.Node, callers []trace.Node) (sent trace.Node, call bool) {
	called, below := trace.None, n
	for at, ok := n, true; ok; at, ok = f.parentNode(at) {
		if f.step(1); at != n {
			from, to := f.span(at), f.span(below)
			left := from.Service() != to.Service()
			if from.Kind() == trace.Producer || left && (from.Kind() != trace.Client && to.Kind() != trace.Server || to.Kind() == trace.Consumer) {
				return at, false
			}
			if left && called == trace.None {
				called = at
			}
			if called != trace.None && (f.Open || f.madeBy(at, callers)) {
				break // While the flow is open, who are callers need not be known.
			}
		}
		if p := f.firstSent(at); p != trace.None {
			return p, false
		}
		below = at
	}
	return called, called != trace.None
}

func (f *Frame) madeBy(n trace.Node, callers []trace.Node) bool {
	f.step(len(callers))
	return slices.Contains(callers, n)
}

// firstSent is the first to end of the spans of the flow from which one follows by a message
// or a link.
func (f *Frame) firstSent(n trace.Node) trace.Node {
	best := trace.None
	for m := range f.causesOf(n) {
		if f.Member != nil && !f.Member(m) {
			continue
		}
		if best == trace.None || f.span(m).End() < f.span(best).End() {
			best = m
		}
	}
	return best
}

// statistic computes something of durations; of none it is missing. What is no duration
// is a doubt, as what may still come is: some longer one is longer all the same.
func statistic(compute func([]time.Duration) time.Duration) func(*Frame, *Expr) (Value, *Doubt) {
	return func(f *Frame, e *Expr) (Value, *Doubt) {
		var out []time.Duration
		var wrong *Doubt
		d := e.Args[0].each(f, func(v Value) bool {
			if len(e.Args) > 1 {
				v = e.Args[1].of(f, v)
			}
			switch v.kind {
			case Span:
				switch s := f.span(v.node()); {
				case took(s) != missing:
					out = append(out, s.Duration())
				case s.Start() == 0 || s.End() == 0:
					wrong = worse(wrong, e.failure("", "a span of %s does not say when it started or when it ended", e.Args[0].text))
				default:
					wrong = worse(wrong, e.failure("", "a span of %s ended before it started", e.Args[0].text))
				}
			case Duration:
				out = append(out, v.duration())
			case Missing:
			case Unknown:
				wrong = worse(wrong, v.Doubt())
			default:
				wrong = worse(wrong, e.failure("", "%s wants durations, and %s holds %s", e.Word.Name, e.Args[0].text, describe(v)))
			}
			return true
		})
		if d = worse(wrong, d); len(out) == 0 {
			return missing, d
		}
		return durationValue(compute(out)), d
	}
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

// quantile is the smallest value that the given part does not exceed.
func quantile(q float64) func([]time.Duration) time.Duration {
	return func(all []time.Duration) time.Duration {
		slices.Sort(all)
		return all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
	}
}

// Critical is the critical path of a span: the nodes on it and how long each of
// them was the one that was waited for.
func (f *Frame) Critical(n trace.Node) (path []trace.Node, shares map[trace.Node]time.Duration) {
	shares = map[trace.Node]time.Duration{}
	for _, s := range f.View.Critical(n, f.step) {
		if _, known := shares[s.Node]; !known {
			path = append(path, s.Node)
		}
		shares[s.Node] += s.To.Sub(s.From)
		f.lost = f.lost || f.View.Torn(s.Node)
	}
	return path, shares
}

func runCriticalPath(f *Frame, e *Expr) (Value, *Doubt) {
	nodes, d := e.spans(f, 0)
	var out []trace.Node
	seen := members{}
	if !f.Open {
		for _, n := range nodes {
			path, _ := f.Critical(n)
			for _, p := range path {
				if !seen.has(p) {
					seen[p] = struct{}{}
					out = append(out, p)
				}
			}
		}
	}
	return f.soonEnough(setValue(f.ByStart(out), nil)), worse(d, f.coming())
}

func runCriticalShare(f *Frame, e *Expr) (Value, *Doubt) {
	n, v, ok := e.only(f, 0)
	if !ok {
		return v, nil
	}
	if f.Open {
		return unknown(arriving), nil
	}
	path, shares := f.Critical(n)
	var of, all time.Duration
	for _, p := range path {
		all += shares[p]
		switch v := e.Args[1].holds(f, spanValue(p)); {
		case v.kind == Unknown:
			return v, nil
		case v.True():
			of += shares[p]
		}
	}
	if all == 0 {
		return missing, nil
	}
	return floatValue(float64(of) / float64(all)), nil
}
