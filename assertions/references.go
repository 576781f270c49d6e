package assertions

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// reference is a ${name}, ${name:-default} or $${ in the value of a scalar.
type reference struct {
	start, end int // byte offsets in the value
	name       string
	fallback   string
	hasDefault bool
	literal    bool // $${, which stands for ${
}

var referencePattern = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// references finds the references of a scalar. What starts like one and is none is reported.
func (l *loader) references(n *yamlfile.Node) []reference {
	var found []reference
	for at := 0; ; {
		i := strings.Index(n.Value[at:], "${")
		if i < 0 {
			return found
		}
		at += i
		if at > 0 && n.Value[at-1] == '$' {
			found = append(found, reference{start: at - 1, end: at + 2, literal: true})
			at += 2
			continue
		}
		m := referencePattern.FindStringSubmatch(n.Value[at:])
		if m == nil {
			l.brokenReference(n, at)
			at += 2
			continue
		}
		found = append(found, reference{start: at, end: at + len(m[0]), name: m[1], fallback: m[3], hasDefault: m[2] != ""})
		at += len(m[0])
	}
}

func (l *loader) brokenReference(n *yamlfile.Node, at int) {
	end := len(n.Value)
	if i := strings.IndexAny(n.Value[at:], "}\n"); i >= 0 {
		end = at + i + 1
	}
	l.report(diag.Diagnostic{What: "this is no reference to a param", Range: n.At(at, end),
		Label: "a reference is ${name} or ${name:-default}", Try: []string{"$${ for the two characters themselves"}})
}

// resolved is what a reference stands for.
type resolved struct {
	text     string
	captured bool // it is known only once the system runs
}

// resolve looks a reference up: among the params, then what system.ready.output captures, then the environment, then
// its default. What is found nowhere is reported, unless other files of the run may capture it.
func (l *loader) resolve(n *yamlfile.Node, r reference) (resolved, bool) {
	if r.literal {
		return resolved{text: "${"}, true
	}
	value, ok := l.find(n, r)
	if l.grown += len(value.text); l.grown > maxGrowth {
		if l.grown-len(value.text) <= maxGrowth {
			l.report(diag.Diagnostic{What: "the params make the file too big", Range: n.At(r.start, r.end), Label: fmt.Sprintf("more than %d bytes were put in up to here", maxGrowth)})
		}
		return resolved{}, false
	}
	return value, ok
}

// maxGrowth is how many bytes references may put into one file. Params that hold others several times over would
// grow without bound.
const maxGrowth = 4 << 20

func (l *loader) find(n *yamlfile.Node, r reference) (resolved, bool) {
	if p, ok := l.params[r.name]; ok {
		if _, isList := p.Value.([]any); isList {
			l.report(diag.Diagnostic{What: "a list cannot stand in a string", Range: n.At(r.start, r.end), Label: "this param is a list",
				Also: []diag.Mark{{Range: p.Range, Label: "declared here"}}})
			return resolved{}, false
		}
		return resolved{text: p.Text}, true
	}
	if l.captures[r.name] {
		return resolved{captured: true}, true
	}
	if value, ok := l.getenv(r.name); ok && (value != "" || !r.hasDefault) {
		return resolved{text: value}, true
	}
	if r.hasDefault {
		return resolved{text: r.fallback}, true
	}
	return resolved{}, false
}

func (l *loader) getenv(name string) (string, bool) {
	if l.options.Getenv == nil {
		return "", false
	}
	return l.options.Getenv(name)
}

func (l *loader) unknownReference(n *yamlfile.Node, r reference) {
	d := diag.Diagnostic{What: "unknown param", Range: n.At(r.start, r.end), Label: "neither a param nor in the environment"}
	if near, ok := diag.Suggest(r.name, l.paramNames()); ok {
		d.Try = append(d.Try, "${"+near+"}")
	}
	if p, below := l.later[r.name]; below {
		d.Label = "this param is declared further down"
		d.Also = []diag.Mark{{Range: p, Label: "declare it before"}}
	}
	d.Try = append(d.Try, "${"+r.name+":-default}", "declare it: params: {"+r.name+": value}")
	l.report(d)
}

// substitute puts params and environment into a scalar whose value must be known at once.
func (l *loader) substitute(n *yamlfile.Node) *yamlfile.Node {
	var edits []yamlfile.Edit
	for _, r := range l.references(n) {
		if text, ok := l.known(n, r); ok {
			edits = append(edits, yamlfile.Edit{Start: r.start, End: r.end, Text: text})
		}
	}
	return n.Substitute(edits)
}

// known is what a reference stands for where a captured name is of no use.
func (l *loader) known(n *yamlfile.Node, r reference) (string, bool) {
	before := len(l.problems)
	value, ok := l.resolve(n, r)
	if value.captured {
		l.report(diag.Diagnostic{What: "a captured name outside of a trigger", Range: n.At(r.start, r.end),
			Label: r.name + " is known only once the system runs", Notes: []string{"What system.ready.output captures may stand under trigger only."}})
		return "", false
	}
	if !ok && len(l.problems) == before && l.grown <= maxGrowth {
		l.unknownReference(n, r)
	}
	return value.text, ok
}

// template reads a string in which captured names stay open if late is set.
func (l *loader) template(n *yamlfile.Node, late bool) Template {
	t := Template{Range: n.Range}
	at := 0
	for _, r := range l.references(n) {
		value, ok := resolved{}, true
		if late {
			value, ok = l.late(n, r)
		} else {
			value.text, ok = l.known(n, r)
		}
		if !ok {
			continue
		}
		t.parts = append(t.parts, templatePart{text: n.Value[at:r.start]})
		if value.captured {
			t.parts = append(t.parts, templatePart{name: r.name, at: n.At(r.start, r.end)})
		} else {
			t.parts = append(t.parts, templatePart{text: value.text})
		}
		at = r.end
	}
	t.parts = append(t.parts, templatePart{text: n.Value[at:]})
	return t
}

// late is resolve where a captured name may stand. A file without a system leaves unknown names to the other files of
// its run; [CheckRun] reports those that none captures.
func (l *loader) late(n *yamlfile.Node, r reference) (resolved, bool) {
	before := len(l.problems)
	value, ok := l.resolve(n, r)
	switch {
	case ok || len(l.problems) > before || l.grown > maxGrowth:
		return value, ok
	case l.file.System == nil:
		return resolved{captured: true}, true
	}
	l.unknownReference(n, r)
	return resolved{}, false
}
