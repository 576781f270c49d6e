package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

var (
	aArg = Arg{Name: "a", Kind: SpansArg}
	bArg = Arg{Name: "b", Kind: SpansArg}
)

var relationWords = []*Word{
	{Name: "calls", Group: "relations", Doc: "some b is a descendant of some a in another service, or over a client → server edge within one, at any depth",
		Args: []Arg{aArg, bArg}, Result: typ(TBool), Class: Up, Edges: true, run: runCalls},
	{Name: "callsDirectly", Group: "relations", Doc: "calls, with no third service in between but those listed",
		Args: []Arg{aArg, bArg, {Name: "through", Kind: ListArg, Optional: true}}, Result: typ(TBool), Class: Up, Edges: true, run: runCallsDirectly},
	{Name: "causes", Group: "relations", Doc: "some b is reachable from some a over parents, links and messages, across traces",
		Args: []Arg{aArg, bArg}, Result: typ(TBool), Class: Up, Edges: true, run: runCauses},
	{Name: "causedBy", Group: "relations", Doc: "some a causes some of these", Args: []Arg{bArg, aArg}, Result: typ(TBool), Class: Up, Edges: true, run: runCausedBy},
	{Name: "under", Group: "relations", Doc: "the spans of x that a caused", Args: []Arg{spansArg, aArg}, Result: typ(TSet), Class: Up, Edges: true, run: runUnder},
	{Name: "child", Group: "relations", Doc: "the spans of x whose parent is some a", Args: []Arg{aArg, spansArg}, Result: typ(TSet), Class: Up, Edges: true, run: runChild},
	{Name: "parent", Group: "relations", Doc: "the spans of x that are the parent of some a", Args: []Arg{aArg, spansArg}, Result: typ(TSet), Class: Up, Edges: true, run: runParent},
	{Name: "descendant", Group: "relations", Doc: "the spans of x that descend from some a", Args: []Arg{aArg, spansArg}, Result: typ(TSet), Class: Up, Edges: true, run: runDescendant},
	{Name: "ancestor", Group: "relations", Doc: "the spans of x from which some a descends", Args: []Arg{aArg, spansArg}, Result: typ(TSet), Class: Up, Edges: true, run: runAncestor},
	{Name: "sibling", Group: "relations", Doc: "the spans of x that share the parent of some a", Args: []Arg{aArg, spansArg}, Result: typ(TSet), Class: Up, Edges: true, run: runSibling},
}

// members is a set that can be asked quickly.
type members map[trace.Node]struct{}

func membersOf(nodes []trace.Node) members {
	m := make(members, len(nodes))
	for _, n := range nodes {
		m[n] = struct{}{}
	}
	return m
}

func (m members) has(n trace.Node) bool { _, ok := m[n]; return ok }

// two evaluates the arguments i and j as sets; edges may come while the flow is open.
func (e *Expr) two(f *Frame, i, j int) (a, b []trace.Node, d *Doubt) {
	a, da := e.spans(f, i)
	b, db := e.spans(f, j)
	return a, b, worse(worse(da, db), f.coming())
}

func runCalls(f *Frame, e *Expr) (Value, *Doubt) {
	a, b, d := e.two(f, 0, 1)
	callers := membersOf(a)
	called := slices.ContainsFunc(b, func(n trace.Node) bool {
		_, ok := f.CallerIn(callers.has, n)
		return ok
	})
	return boolValue(called), d
}

// CallerIn returns the nearest span above n that calls it and that in accepts: in
// another service, or over a client → server edge.
func (f *Frame) CallerIn(in func(trace.Node) bool, n trace.Node) (trace.Node, bool) {
	service, crossed := f.span(n).Service(), false
	for at := n; ; {
		p, ok := f.parentNode(at)
		if !ok {
			return trace.None, false
		}
		f.step(1)
		crossed = crossed || f.span(p).Kind() == trace.Client && f.span(at).Kind() == trace.Server
		if in(p) && (crossed || f.span(p).Service() != service) {
			return p, true
		}
		at = p
	}
}

func runCallsDirectly(f *Frame, e *Expr) (Value, *Doubt) {
	a, b, d := e.two(f, 0, 1)
	var through []string
	if len(e.Args) > 2 {
		v := e.Args[2].value(f)
		d = worse(d, v.Doubt())
		for _, s := range v.Elems() {
			through = append(through, s.Str())
		}
	}
	callers := membersOf(a)
	called := slices.ContainsFunc(b, func(n trace.Node) bool { return f.directCaller(callers.has, n, through) != trace.None })
	return boolValue(called), d
}

// directCaller is the span above n that in accepts and that calls it with no
// third service in between.
func (f *Frame) directCaller(in func(trace.Node) bool, n trace.Node, through []string) trace.Node {
	own, other, crossed := f.span(n).Service(), "", false
	for at := n; ; {
		p, ok := f.parentNode(at)
		if !ok {
			return trace.None
		}
		f.step(1)
		crossed = crossed || f.span(p).Kind() == trace.Client && f.span(at).Kind() == trace.Server
		switch s := f.span(p).Service(); {
		case s == own && other == "":
		case slices.Contains(through, s):
		case other == "" || s == other:
			other = s
		default:
			return trace.None // a third service
		}
		if in(p) && (crossed || f.span(p).Service() != own) {
			return p
		}
		at = p
	}
}

func runCauses(f *Frame, e *Expr) (Value, *Doubt) {
	a, b, d := e.two(f, 0, 1)
	return f.causes(a, b), d
}

func runCausedBy(f *Frame, e *Expr) (Value, *Doubt) {
	b, a, d := e.two(f, 0, 1)
	return f.causes(a, b), d
}

func (f *Frame) causes(a, b []trace.Node) Value {
	if len(a) == 0 || len(b) == 0 {
		return no
	}
	return boolValue(f.above(b, membersOf(a).has) != trace.None)
}

// above searches everything that some of nodes follow from, nearest first, for a
// span that want accepts.
func (f *Frame) above(nodes []trace.Node, want func(trace.Node) bool) trace.Node {
	seen := members{}
	queue := slices.Clone(nodes)
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		found := trace.None
		visit := func(m trace.Node) {
			if f.step(1); !seen.has(m) {
				seen[m] = struct{}{}
				queue = append(queue, m)
				if found == trace.None && want(m) {
					found = m
				}
			}
		}
		if p, ok := f.parentNode(n); ok {
			visit(p)
		}
		for m := range f.causesOf(n) {
			visit(m)
		}
		if found != trace.None {
			return found
		}
	}
	return trace.None
}

// below is everything that follows from some of nodes.
func (f *Frame) below(nodes []trace.Node) members {
	out := members{}
	queue := slices.Clone(nodes)
	visit := func(m trace.Node) {
		if f.step(1); !out.has(m) {
			out[m] = struct{}{}
			queue = append(queue, m)
		}
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for m := range f.childrenOf(n) {
			visit(m)
		}
		for m := range f.effectsOf(n) {
			visit(m)
		}
	}
	return out
}

func runUnder(f *Frame, e *Expr) (Value, *Doubt) {
	x, a, d := e.two(f, 0, 1)
	return chosen(x, f.below(a).has), d
}

// chosen are the nodes that keep accepts.
func chosen(nodes []trace.Node, keep func(trace.Node) bool) Value {
	var out []trace.Node
	for _, n := range nodes {
		if keep(n) {
			out = append(out, n)
		}
	}
	return setValue(out, nil)
}

func runChild(f *Frame, e *Expr) (Value, *Doubt) {
	a, x, d := e.two(f, 0, 1)
	of := membersOf(a)
	return chosen(x, func(n trace.Node) bool {
		p, ok := f.parentNode(n)
		return ok && of.has(p)
	}), d
}

func runParent(f *Frame, e *Expr) (Value, *Doubt) {
	a, x, d := e.two(f, 0, 1)
	return chosen(x, f.parents(a).has), d
}

func (f *Frame) parents(nodes []trace.Node) members {
	out := members{}
	for _, n := range nodes {
		f.step(1)
		if p, ok := f.parentNode(n); ok {
			out[p] = struct{}{}
		}
	}
	return out
}

func runDescendant(f *Frame, e *Expr) (Value, *Doubt) {
	a, x, d := e.two(f, 0, 1)
	of := membersOf(a)
	return chosen(x, func(n trace.Node) bool {
		for p, ok := f.parentNode(n); ok; p, ok = f.parentNode(p) {
			if f.step(1); of.has(p) {
				return true
			}
		}
		return false
	}), d
}

func runAncestor(f *Frame, e *Expr) (Value, *Doubt) {
	a, x, d := e.two(f, 0, 1)
	above := members{}
	for _, n := range a {
		for p, ok := f.parentNode(n); ok && !above.has(p); p, ok = f.parentNode(p) {
			f.step(1)
			above[p] = struct{}{}
		}
	}
	return chosen(x, above.has), d
}

func runSibling(f *Frame, e *Expr) (Value, *Doubt) {
	a, x, d := e.two(f, 0, 1)
	parents, of := f.parents(a), membersOf(a)
	return chosen(x, func(n trace.Node) bool {
		p, ok := f.parentNode(n)
		return ok && parents.has(p) && (!of.has(n) || len(a) > 1 && sharesParent(f, a, n, p))
	}), d
}

// sharesParent reports whether another span of nodes has the parent p.
func sharesParent(f *Frame, nodes []trace.Node, n, p trace.Node) bool {
	return slices.ContainsFunc(nodes, func(m trace.Node) bool {
		q, ok := f.parentNode(m)
		return m != n && ok && q == p
	})
}
