package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// unrelated explains calls, callsDirectly and causes.
func (x *explainer) unrelated(c, from, to *lang.Expr) {
	a, b := from.Value(x.frame).Nodes(), to.Value(x.frame).Nodes()
	switch {
	case len(a) == 0:
		x.nothing(from)
		return
	case len(b) == 0:
		x.nothing(to)
		x.below(a, oneLine(from.Text()))
		return
	}
	verb := map[string]string{"calls": "calls", "callsDirectly": "calls", "causes": "causes", "causedBy": "causes"}[c.Word.Name]
	directly := ""
	if c.Calls("callsDirectly") {
		directly = " directly"
	}
	x.Why = fmt.Sprintf("%s never %s %s%s", oneLine(from.Text()), verb, oneLine(to.Text()), directly)
	for _, n := range x.frame.ByStart(b) {
		x.span(n, "%s", x.whoCalled(n))
	}
	x.keysAreNoCause(b)
	if c.Calls("causes", "causedBy") {
		x.missingLink(a, b)
	}
	x.below(a, oneLine(from.Text()))
}

// joinedByKey is the correlation key by which alone a span came into the flow, or
// one above it did; "" if it came otherwise.
func (x *explainer) joinedByKey(n trace.Node) string {
	for p, ok := x.flow.Parent(n); ok; p, ok = x.flow.Parent(n) {
		n = p
	}
	if x.flow.JoinedBy(n) != trace.ByKey {
		return ""
	}
	for _, key := range x.in.flow.Decl.Stitch.Keys {
		if _, has := lang.Attribute(key)(x.flow.Span(n)); has {
			return key
		}
	}
	return "a value"
}

// keysAreNoCause says why spans are in the flow and yet follow from nothing in it.
func (x *explainer) keysAreNoCause(nodes []trace.Node) {
	for _, n := range nodes {
		if x.flow.Contains(n) && x.joinedByKey(n) != "" {
			x.note("stitch.keys say what belongs to a flow. They are no cause: calls follow parents, and ~> and causes follow links and messages, too.")
			return
		}
	}
}

// related explains a relation that should not be: the spans that are reached.
func (x *explainer) related(c, from, to *lang.Expr) {
	verb := map[string]string{"calls": "calls", "callsDirectly": "calls", "causes": "causes", "causedBy": "causes"}[c.Word.Name]
	x.Why = fmt.Sprintf("%s %s %s", oneLine(from.Text()), verb, oneLine(to.Text()))
	for _, n := range x.frame.ByStart(to.Value(x.frame).Nodes()) {
		x.span(n, "%s", x.chainAbove(n))
	}
}

// missingLink says on which side the context between two spans of one flow was lost.
func (x *explainer) missingLink(a, b []trace.Node) {
	for _, n := range b {
		s := x.flow.Span(n)
		if s.Kind() == trace.Consumer && !x.linksElsewhere(n) && x.producerFor(n) != trace.None {
			x.note("%s %s", x.name(n), x.lostMessage(n))
			return
		}
	}
}

// nearKey finds the key that was probably meant: one slip away, or with the same
// last parts.
func nearKey(key string, keys []string) (string, bool) {
	if near, ok := diag.Suggest(key, keys); ok {
		return near, true
	}
	return "", false
}
