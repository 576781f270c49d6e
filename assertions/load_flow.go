package assertions

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

const originExample = `service == "frontend" and http.route == "/checkout"`

func (l *loader) flows(n *yamlfile.Node, defaults settings) {
	pairs, ok := l.pairs(n, "flows", "flows:\n  checkout:\n    origin: "+originExample)
	if !ok {
		return
	}
	for _, p := range pairs {
		if f := l.flow(p, defaults); f != nil {
			l.file.Flows = append(l.file.Flows, f)
		}
	}
}

func (l *loader) flow(p yamlfile.Pair, defaults settings) *FlowDecl {
	f := &FlowDecl{Name: p.Key.Value, Range: p.Key.Range, Timing: defaults.timing, Stitch: defaults.stitch}
	if strings.TrimSpace(f.Name) == "" || f.Name == invariantsName {
		l.report(diag.Diagnostic{What: "this cannot be the name of a flow", Range: f.Range, Label: fmt.Sprintf("a flow needs a name, and not %q", invariantsName)})
		return nil
	}
	ok := l.fields(p.Value, "flow", "origin: "+originExample, []field{
		{"description", l.text(&f.Description, "A customer buys something and gets a mail.")},
		{"origin", l.expr(&f.Origin, originExample)},
		{"per", l.per(&f.Per)},
		{"trigger", func(p yamlfile.Pair) { f.Trigger = l.trigger(p) }},
		{"runs", l.count(&f.Runs)},
		{"timing", func(p yamlfile.Pair) {
			l.fields(p.Value, "timing", "timing: {deadline: 15s, quiet: 500ms}", l.timingFields(&f.Timing))
		}},
		{"stitch", func(p yamlfile.Pair) { l.stitch(&f.Stitch, p.Value) }},
		{"spans", func(p yamlfile.Pair) { f.Spans = l.sets(p.Value) }},
		{"calls", func(p yamlfile.Pair) { f.Calls = l.arrows(p) }},
		{"sequence", func(p yamlfile.Pair) { f.Sequence = l.arrows(p) }},
		{"only", func(p yamlfile.Pair) { f.Only = l.only(p) }},
		{"expect", func(p yamlfile.Pair) { f.Expect = l.assertions(p.Value, expectItems) }},
		{"never", func(p yamlfile.Pair) { f.Never = l.assertions(p.Value, neverItems) }},
		{"each", func(p yamlfile.Pair) { f.Each = l.each(p.Value, f, false) }},
		{"across", func(p yamlfile.Pair) { f.Across = l.across(p) }},
	})
	if !ok {
		return nil
	}
	f.fillIn()
	l.newSets(f)
	return f
}

// fillIn gives a flow what depends on its other keys.
func (f *FlowDecl) fillIn() {
	if f.Per.Kind == PerUnset {
		f.Per.Kind = PerSpan
		if f.Origin.IsZero() && f.Trigger == nil {
			f.Per.Kind = PerTrace
		}
	}
	if f.Runs.Range.IsZero() {
		f.Runs = Count{Min: 1, Max: -1}
		if f.Trigger != nil {
			f.Runs = Count{Min: f.Trigger.Repeat, Max: f.Trigger.Repeat}
		}
	}
}

// newSets checks the names that arrows give to their callees' spans.
func (l *loader) newSets(f *FlowDecl) {
	declared := map[string]diag.Range{}
	for _, set := range append(append([]SetDecl{}, l.file.Spans...), f.Spans...) {
		declared[set.Name] = set.Range
	}
	for _, a := range append(append([]Arrow{}, f.Calls...), f.Sequence...) {
		if a.As == "" {
			continue
		}
		if earlier, twice := declared[a.As]; twice {
			l.report(diag.Diagnostic{What: fmt.Sprintf("the set %q is declared twice", a.As), Range: a.AsRange, Label: "again here",
				Also: []diag.Mark{{Range: earlier, Label: "first here"}}})
		} else if l.isReserved(a.As) {
			l.report(diag.Diagnostic{What: "a set named like a word of the language", Range: a.AsRange, Label: fmt.Sprintf("%q has a meaning of its own in expressions", a.As)})
		}
		declared[a.As] = a.AsRange
	}
}

// per reads what one instance is.
func (l *loader) per(into *Per) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		kinds := map[string]PerKind{"span": PerSpan, "trace": PerTrace, "session": PerSession}
		if kind, ok := kinds[p.Value.Value]; ok {
			*into = Per{Kind: kind, Range: p.Value.Range}
			return
		}
		if e, ok := l.exprOf(p.Value, "per: session"); ok {
			*into = Per{Kind: PerValue, Expr: e, Range: e.Range()}
		}
	}
}

func (l *loader) arrows(p yamlfile.Pair) []Arrow {
	return lines(l, p, arrowExample, parseArrows)
}

func (l *loader) only(p yamlfile.Pair) []OnlyDecl {
	return lines(l, p, onlyExample, parseOnly)
}

// lines reads a block of lines, or a list with one line each.
func lines[T any](l *loader, p yamlfile.Pair, example string, parse func(string, locate) ([]T, diag.List)) []T {
	nodes := []*yamlfile.Node{p.Value}
	if p.Value.Kind == yamlfile.Sequence {
		nodes = l.items(p.Value, "arrows", "- "+example)
	}
	var all []T
	before := len(l.problems)
	for _, n := range nodes {
		n, ok := l.scalar(n, "a block of arrows", p.Key.Value+": |\n  "+example)
		if !ok || l.foldedLines(p.Key, n, example) {
			continue
		}
		found, problems := parse(n.Value, n.At)
		all = append(all, found...)
		l.problems = append(l.problems, problems...)
	}
	if len(all) == 0 && len(l.problems) == before {
		l.report(diag.Diagnostic{What: "a block without arrows", Range: p.Key.Range, Label: "nothing but comments stands here", Try: []string{example}})
	}
	return all
}

// foldedLines reports a block of lines that YAML joined into one.
func (l *loader) foldedLines(key, n *yamlfile.Node, example string) bool {
	first, last := n.Range.Position().Line, n.Range.Source.Position(n.Range.End).Line
	if n.Style == yamlfile.Literal || n.Style == yamlfile.Folded && last == first+1 || first == last {
		return false
	}
	l.report(diag.Diagnostic{What: "the lines of " + key.Value + " are joined", Range: key.Range, Label: "without a | YAML makes one line of them",
		Try: []string{key.Value + ": |\n  " + example}})
	return true
}

func (l *loader) across(p yamlfile.Pair) *Across {
	a := &Across{Range: p.Key.Range}
	example := "across: {runs: 50, expect: [\"p95(runs, .duration) < 200ms\"]}"
	l.fields(p.Value, "across", example, []field{
		{"runs", l.number(&a.Runs, 1, maxCount)},
		{"expect", func(p yamlfile.Pair) { a.Expect = l.assertions(p.Value, expectItems) }},
	})
	if p.Value.Kind != yamlfile.Mapping {
		return nil
	}
	for _, key := range []string{"runs", "expect"} {
		if _, ok := p.Value.Lookup(key); !ok {
			l.report(diag.Diagnostic{What: "across without " + key, Range: p.Key.Range, Label: "it judges expect over so many runs", Try: []string{example}})
		}
	}
	return a
}

// invariantsName is what reports call the flow of the invariants.
const invariantsName = "invariants"

func (l *loader) invariants(p yamlfile.Pair, defaults settings) *FlowDecl {
	f := &FlowDecl{Name: invariantsName, Range: p.Key.Range, Timing: defaults.timing, Per: Per{Kind: PerTrace}, Runs: Count{Min: 0, Max: -1},
		Stitch: Stitch{Scope: trace.ScopeTrace}}
	ok := l.fields(p.Value, "invariants", "invariants: {never: ['status == \"error\"']}", []field{
		{"per", l.per(&f.Per)},
		{"spans", func(p yamlfile.Pair) { f.Spans = l.sets(p.Value) }},
		{"expect", func(p yamlfile.Pair) { f.Expect = l.assertions(p.Value, invariantItems(expectItems)) }},
		{"never", func(p yamlfile.Pair) { f.Never = l.assertions(p.Value, invariantItems(neverItems)) }},
		{"each", func(p yamlfile.Pair) { f.Each = l.each(p.Value, f, true) }},
	})
	if !ok {
		return nil
	}
	return f
}
