package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// loadFile reads the keys of the file, those first that others refer to.
func (l *loader) loadFile(root *yamlfile.Node) {
	var defaults settings
	l.fields(root, "file", "version: 1", []field{
		{"version", l.version},
		{"params", func(p yamlfile.Pair) { l.loadParams(p.Value) }},
		{"defaults", func(p yamlfile.Pair) { defaults = l.defaults(p.Value) }},
		{"system", l.system},
		{"spans", func(p yamlfile.Pair) { l.file.Spans = l.sets(p.Value) }},
		{"flows", func(p yamlfile.Pair) { l.flows(p.Value, defaults) }},
		{"invariants", func(p yamlfile.Pair) { l.file.Invariants = l.invariants(p, defaults) }},
	})
	l.required(root)
}

func (l *loader) version(p yamlfile.Pair) {
	n, ok := l.scalar(p.Value, "the number 1", "version: 1")
	if !ok {
		return
	}
	if n.Value != "1" {
		l.report(diag.Diagnostic{What: "unknown version of the language", Range: n.Range, Label: "this program reads version 1", Try: []string{"version: 1"}})
		return
	}
	l.file.Version = 1
}

// required reports what every file must have.
func (l *loader) required(root *yamlfile.Node) {
	start := l.file.Source.Range(root.Range.Start, root.Range.Start)
	if _, ok := root.Lookup("version"); !ok {
		l.report(diag.Diagnostic{What: "the file has no version", Range: start, Label: "a flow file starts with its version", Try: []string{"version: 1"}})
	}
	_, flows := root.Lookup("flows")
	_, invariants := root.Lookup("invariants")
	if !flows && !invariants {
		l.report(diag.Diagnostic{What: "the file asserts nothing", Range: start, Label: "it has neither flows nor invariants",
			Try: []string{"flows:\n  checkout:\n    origin: service == \"frontend\" and http.route == \"/checkout\"\n    calls: |\n      checkout -> payment"}})
	}
}

// settings are what defaults gives to every flow.
type settings struct {
	timing trace.Timing
	stitch Stitch
}

func (l *loader) defaults(n *yamlfile.Node) settings {
	var s settings
	l.fields(n, "defaults", "defaults: {deadline: 15s}", append(l.timingFields(&s.timing),
		field{"stitch", func(p yamlfile.Pair) { l.stitch(&s.stitch, p.Value) }}))
	return s
}

func (l *loader) timingFields(t *trace.Timing) []field {
	return []field{
		{"deadline", l.duration(&t.Deadline, noZero)},
		{"quiet", l.duration(&t.Quiet, noZero)},
		{"clock_skew", l.clockSkew(t)},
	}
}

func (l *loader) clockSkew(t *trace.Timing) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		if p.Value.Value == "auto" {
			t.ClockSkew = 0
			return
		}
		n, ok := l.scalar(p.Value, "auto or a duration", "clock_skew: auto")
		if !ok {
			return
		}
		d, hint, ok := parseDuration(n.Value)
		if !ok || d == 0 {
			l.report(diag.Diagnostic{What: "clock_skew needs auto or a time", Range: n.Range, Label: "auto learns the offsets of the clocks from the spans", Try: []string{"auto", max(hint, "5ms")}})
			return
		}
		t.ClockSkew = d
	}
}

const stitchExample = "stitch: {keys: [order.id], scope: trace, hops: 3}"

func (l *loader) stitch(s *Stitch, n *yamlfile.Node) {
	l.fields(n, "stitch", stitchExample, []field{
		{"keys", l.names(&s.Keys, "keys: [order.id]")},
		{"scope", choice(l, &s.Scope, []string{"trace", "subtree"}, []trace.Scoping{trace.ScopeTrace, trace.ScopeSubtree})},
		{"hops", l.number(&s.Hops, 1, 1000)},
		{"silent", l.names(&s.Silent, "silent: [bank.example]")},
	})
}

// sets reads named selectors.
func (l *loader) sets(n *yamlfile.Node) []SetDecl {
	const example = `payment: service == "payment" and kind == "server"`
	pairs, ok := l.pairs(n, "spans", "spans:\n  "+example)
	if !ok {
		return nil
	}
	var sets []SetDecl
	for _, p := range pairs {
		named := l.named(p.Key, "set")
		if param, ok := l.params[p.Key.Value]; ok {
			l.report(diag.Diagnostic{What: fmt.Sprintf("%q is a param and a set", p.Key.Value), Range: p.Key.Range, Label: "a set needs a name of its own",
				Also: []diag.Mark{{Range: param.Range, Label: "the param"}}})
			named = false
		}
		set := SetDecl{Name: p.Key.Value, Range: p.Key.Range}
		l.expr(&set.Spans, `service == "payment" and kind == "server"`)(p)
		if named && !set.Spans.IsZero() {
			sets = append(sets, set)
		}
	}
	return sets
}
