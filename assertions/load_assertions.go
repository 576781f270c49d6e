package assertions

import (
	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// assertionItems describes one kind of list of assertions.
type assertionItems struct {
	owner   string // what an item is called
	example string
	per     bool // an item may have per
}

var (
	expectItems = assertionItems{owner: "assertion", example: "payment.count == 1"}
	neverItems  = assertionItems{owner: "assertion", example: `status == "error"`}
)

// invariantItems is the same kind of list where it stands under invariants.
func invariantItems(items assertionItems) assertionItems {
	items.per = true
	return items
}

func (l *loader) assertions(n *yamlfile.Node, kind assertionItems) []AssertionDecl {
	var all []AssertionDecl
	for _, item := range l.items(n, "assertions", "- "+kind.example) {
		if a, ok := l.assertion(item, kind); ok {
			all = append(all, a)
		}
	}
	return all
}

// assertion reads an expression, or a mapping that has one under that.
func (l *loader) assertion(n *yamlfile.Node, kind assertionItems) (AssertionDecl, bool) {
	var a AssertionDecl
	if n.Kind == yamlfile.Scalar {
		e, ok := l.exprOf(n, "- "+kind.example)
		a.That, a.Range = e, e.Range()
		return a, ok
	}
	before := len(l.problems)
	l.fields(n, kind.owner, "- "+kind.example, perFields(l, kind.per, &a.Per,
		field{"name", l.text(&a.Name, "the card is charged once")},
		field{"that", l.expr(&a.That, kind.example)},
		field{"when", l.expr(&a.When, `any(payment, .status == "error")`)},
		field{"because", l.text(&a.Because, "the customer must not pay twice")},
		field{"severity", l.severity(&a.Severity)},
		field{"within", l.duration(&a.Within, noZero)}))
	if _, ok := n.Lookup("that"); !ok && len(l.problems) == before {
		l.report(diag.Diagnostic{What: "an assertion without that", Range: n.Range, Label: "the expression is missing", Try: []string{"that: " + kind.example}})
	}
	a.Range = a.That.Range()
	return a, !a.That.IsZero()
}

func perFields(l *loader, allowed bool, per *Per, fields ...field) []field {
	if !allowed {
		return fields
	}
	return append(fields, field{"per", l.per(per)})
}

func (l *loader) severity(into *Severity) func(yamlfile.Pair) {
	return choice(l, into, []string{"error", "warn"}, []Severity{SeverityError, SeverityWarn})
}

const eachExample = "- {spans: payment, check: isInt(attrs.amount)}"

func (l *loader) each(n *yamlfile.Node, f *FlowDecl, inInvariants bool) []EachDecl {
	var all []EachDecl
	for _, item := range l.items(n, "assertions", eachExample) {
		if e, ok := l.eachItem(item, f, inInvariants); ok {
			all = append(all, e)
		}
	}
	return all
}

func (l *loader) eachItem(n *yamlfile.Node, f *FlowDecl, inInvariants bool) (EachDecl, bool) {
	var e EachDecl
	before := len(l.problems)
	l.fields(n, "item of each", eachExample, perFields(l, inInvariants, &e.Per,
		field{"spans", l.expr(&e.Spans, "payment")},
		field{"check", l.expr(&e.Check, "isInt(attrs.amount)")},
		field{"name", l.text(&e.Name, "amounts are whole cents")},
		field{"because", l.text(&e.Because, "fractions of cents get lost")},
		field{"severity", l.severity(&e.Severity)}))
	for _, key := range []string{"spans", "check"} {
		if _, ok := n.Lookup(key); !ok && len(l.problems) == before {
			l.report(diag.Diagnostic{What: "an item of each without " + key, Range: n.Range, Label: "it needs spans, and what to check of each of them", Try: []string{eachExample}})
		}
	}
	if l.isSet(e.Spans.Text, f) {
		e.Set = e.Spans.Text
	}
	e.Range = e.Check.Range()
	return e, !e.Spans.IsZero() && !e.Check.IsZero()
}

// isSet reports whether the name is that of a set which the flow can use.
func (l *loader) isSet(name string, f *FlowDecl) bool {
	for _, sets := range [][]SetDecl{l.file.Spans, f.Spans} {
		for _, set := range sets {
			if set.Name == name {
				return true
			}
		}
	}
	for _, arrows := range [][]Arrow{f.Calls, f.Sequence} {
		for _, a := range arrows {
			if a.As == name && name != "" {
				return true
			}
		}
	}
	return false
}
