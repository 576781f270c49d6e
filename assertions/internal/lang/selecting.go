package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// ServiceIs returns the service that a span must be of to satisfy e, if e says so.
func (e *Expr) ServiceIs() (string, bool) {
	i := slices.IndexFunc(e.Conjuncts(), (*Expr).isService)
	if i < 0 {
		return "", false
	}
	return e.Conjuncts()[i].Args[1].lit.str, true
}

func (e *Expr) isService() bool {
	if e.Op != OpCompare || e.Operator != "==" || e.Args[0].Op != OpField || e.Args[0].Operator != "service" || e.Args[0].Args[0].Op != OpElement {
		return false
	}
	v, constant := e.Args[1].Literal()
	return constant && v.kind == String
}

// serviceOfClosure is the service without which a closure holds for no span.
func (e *Expr) serviceOfClosure() string {
	body := e.Args[1].Args[0]
	if e.Calls("distinct") {
		return ""
	}
	for _, c := range body.Conjuncts() {
		if c.isService() && c.Args[0].Args[0].slot == e.Args[1].slot {
			return c.Args[1].lit.str
		}
	}
	return ""
}

// OfService is what is left to ask of the spans of the service that e requires: nil
// if it asks for nothing else, and e itself if it requires none.
func (e *Expr) OfService() *Expr {
	parts := e.Conjuncts()
	i := slices.IndexFunc(parts, (*Expr).isService)
	if i < 0 || slices.ContainsFunc(parts, func(c *Expr) bool { return c.Type.Base != TBool }) {
		return e
	}
	var rest *Expr
	for j, c := range parts {
		switch {
		case j == i:
		case rest == nil:
			part := *c
			rest = &part
		default:
			rest = &Expr{Op: OpAnd, Operator: "and", Type: typ(TBool), Args: []*Expr{rest, c}, From: e.From, To: e.To, text: e.text, eval: evalAnd}
		}
	}
	if rest != nil {
		rest.slots, rest.program = e.slots, e.program
	}
	return rest
}

// Condition is Value of a condition: an error if it is neither true nor false.
func (e *Expr) Condition(f *Frame) Value { return e.truth(e.Value(f)) }

// Asked is what a condition says of a span: an error if that is neither true nor false.
func (e *Expr) Asked(f *Frame, n trace.Node) Value { return e.truth(e.OfSpan(f, n)) }

// OfSpans is Asked of many, with less ado for each.
func (e *Expr) OfSpans(f *Frame, nodes []trace.Node, answer func(trace.Node, Value)) {
	for len(nodes) > 0 {
		nodes = nodes[e.someOf(f, nodes, answer):]
	}
}

// someOf asks about the spans up to the first that cannot be answered, and returns
// how many these are.
func (e *Expr) someOf(f *Frame, nodes []trace.Node, answer func(trace.Node, Value)) (n int) {
	f.room(max(e.slots, 1))
	f.slots[0] = spanValue(nodes[0])
	asking := true
	defer func() {
		if !asking {
			return
		}
		if r := recover(); r != nil {
			answer(nodes[n], e.recovered(r))
			n++
		}
	}()
	for n < len(nodes) {
		f.steps, f.lost, f.slots[0].num = Budget, false, uint64(uint32(nodes[n]))
		asking = true
		v := f.butLost(e.value(f))
		asking = false
		f.spent += 1 + Budget - f.steps
		answer(nodes[n], e.truth(v))
		n++
	}
	return n
}
