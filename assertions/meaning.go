package assertions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// Meaning is what a line or an item of the file says, written as a plain expression: every arrow, sequence, only, never
// and each, and every assertion with a guard.
type Meaning struct {
	Flow  string
	Kind  Kind
	Range diag.Range // of the line or the item
	// Spans are selectors that That needs beside those of the file. A selector that an earlier Meaning of the flow has
	// already is left out.
	Spans []Selection
	// That is the expression. It could stand under expect.
	That   string
	Within time.Duration // as on an assertion; 0 if not given
}

// Selection is a selector with a name.
type Selection struct{ Name, Source string }

// Meanings says what the suite's sugar means, in the order of the file.
func (s *Suite) Meanings() []Meaning {
	var all []Meaning
	for _, f := range s.flows {
		d := &desugarer{plan: f.plan, params: constants(s.file), told: map[int]bool{}}
		checks := slices.Clone(f.plan.checks)
		slices.SortStableFunc(checks, func(a, b *check) int { return a.assertion.Range.Start - b.assertion.Range.Start })
		for _, k := range checks {
			if k.isSugar() {
				all = append(all, d.meaning(k))
			}
		}
	}
	return all
}

// isSugar reports whether an assertion is written in another way than it is evaluated.
func (k *check) isSugar() bool {
	switch k.assertion.Kind {
	case KindCalls, KindSequence, KindOnly, KindNever, KindEach:
		return true
	}
	return k.when != nil
}

// desugarer writes the assertions of one flow as expressions.
type desugarer struct {
	plan   *plan
	params map[string]lang.Value
	told   map[int]bool // selectors that were written already

	spans []Selection
	lets  []string
	done  map[int]bool // sets that the expression at hand has
}

func (d *desugarer) meaning(k *check) Meaning {
	d.spans, d.lets, d.done = nil, nil, map[int]bool{}
	that := d.that(k)
	if k.when != nil {
		d.needRead(k.when)
		that = "not (" + lang.OneLine(k.guard.Text) + ") or (" + that + ")"
	}
	that = strings.Join(d.lets, "") + that
	return Meaning{Flow: d.plan.flow.Name, Kind: k.assertion.Kind, Range: k.assertion.Range, Spans: d.spans, That: that, Within: k.within}
}

func (d *desugarer) that(k *check) string {
	switch k.assertion.Kind {
	case KindNever:
		return "none(spans, " + d.closure(k.source, d.plan.sets[k.target].selector) + ")"
	case KindEach:
		d.need(k.over)
		set := d.plan.names[k.over]
		return fmt.Sprintf("%s.empty or all(%s, %s)", set, set, d.closure(k.source, d.plan.sets[k.target].selector))
	}
	d.needRead(k.that)
	return lang.OneLine(k.text)
}

// needRead writes down the sets that an expression reads.
func (d *desugarer) needRead(e *lang.Expr) {
	for _, i := range e.Program().Sets {
		d.need(i)
	}
}

// need writes down a set that desugaring made: as a selector, or as a let if it follows from other sets.
func (d *desugarer) need(i int) {
	s := d.plan.sets[i]
	if d.done[i] || i == 0 || s.declared && s.computed == nil {
		return
	}
	d.done[i] = true
	switch {
	case s.computed != nil:
		d.needRead(s.computed)
		d.let(s.name, s.source)
	case s.base != 0: // it was made by desugaring, so "it" is its only name
		d.need(s.base)
		d.let(s.name, fmt.Sprintf("filter(%s, %s)", d.plan.names[s.base], s.source))
	case !d.told[i]:
		d.told[i] = true
		d.spans = append(d.spans, Selection{s.name, lang.OneLine(s.source)})
	}
}

func (d *desugarer) let(name, source string) {
	d.lets = append(d.lets, fmt.Sprintf("let %s = %s; ", name, lang.OneLine(source)))
}

// closure writes an expression over one span as what a word runs over each span: bare names get a dot. Within closures
// of its own the dot means something else, so there the span gets a name.
func (d *desugarer) closure(source Expr, root *lang.Expr) string {
	text, name := source.Text, d.fresh()
	var edits []edit
	named := false
	var visit func(e *lang.Expr, nested bool)
	visit = func(e *lang.Expr, nested bool) {
		switch slot, _ := e.Slot(); {
		case e.Op == lang.OpElement && slot == 0 && e.From == e.To && nested:
			edits, named = append(edits, edit{e.From, name + "."}), true
		case e.Op == lang.OpElement && slot == 0 && e.From == e.To:
			edits = append(edits, edit{e.From, "."})
		}
		for _, a := range e.Args {
			visit(a, nested || e.Op == lang.OpClosure)
		}
	}
	visit(root, false)
	text = lang.OneLine(apply(text, edits))
	if named {
		text = "{let " + name + " = it; " + text + "}"
	}
	return text
}

// fresh is a name for a span that nothing else has.
func (d *desugarer) fresh() string {
	name := "span"
	for {
		if _, param := d.params[name]; !param && !slices.Contains(d.plan.names, name) {
			return name
		}
		name += "_"
	}
}

// edit puts a text in front of a byte.
type edit struct {
	at   int
	text string
}

func apply(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return b.at - a.at })
	for _, e := range edits {
		text = text[:e.at] + e.text + text[e.at:]
	}
	return text
}
