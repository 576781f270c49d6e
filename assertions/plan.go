package assertions

import (
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// plan is a flow, compiled.
type plan struct {
	flow   *Flow
	sets   []*setPlan // the first is "spans"
	names  []string   // of the sets, as lang.Scope wants them
	checks []*check
}

// setPlan is a set of spans: those members of its base that satisfy a selector,
// or what an expression over other sets makes.
type setPlan struct {
	name     string
	source   string     // of the selector or the expression, for people
	base     int        // the set whose members are asked; 0 is all spans
	selector *lang.Expr // nil for "spans" and for computed sets
	// inverted: members are those that do not satisfy the selector.
	inverted bool
	computed *lang.Expr
	// service is what a member's service must be; "" if the selector does not say.
	// ofService is what is then left to ask, nil if nothing is.
	service   string
	ofService *lang.Expr
	// late: it is computed, or part of one that is, so it is brought up to date when
	// somebody asks.
	late bool
	// unsteady: spans may leave the set while the flow goes on, since it is part of
	// a computed one.
	unsteady bool
	declared bool       // by the author, rather than by desugaring
	at       diag.Range // of the name
	decl     Expr       // the selector's source in the file
}

// check is one assertion, compiled.
type check struct {
	assertion *Assertion
	that      *lang.Expr
	when      *lang.Expr // nil without a guard
	within    time.Duration
	source    Expr   // of that, zero if it was desugared
	text      string // the expression as it is evaluated
	guard     Expr
	// target is the set that never, each and arrows are about; -1 for others.
	target int
	// over is the set that each: checks every span of; -1 for others.
	over  int
	arrow *Arrow
	// parties are those of a line that may pass though no span ever named them.
	parties []Party
	late    []int // the sets that are late and that it needs, each behind those it reads
	// caller and callee are the sets of an arrow's two sides.
	caller, callee int
	chain          []int // lines of a sequence: the sets up to this one, in their order
}

// compiler turns the declarations of one file into plans. It goes on after a
// problem, to find them all.
type compiler struct {
	file     *File
	params   map[string]lang.Value
	problems diag.List

	plan  *plan
	decl  *FlowDecl
	order int
}

func (c *compiler) report(e Expr, found []lang.Problem) {
	for _, p := range found {
		c.problems = append(c.problems, diagnostic(p, e.At(p.From, p.To)))
	}
}

func diagnostic(p lang.Problem, at diag.Range) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, What: p.What, Range: at, Label: p.Label, Notes: p.Notes, Try: p.Try}
	if p.Warning {
		d.Severity = diag.Warning
	}
	return d
}

func (c *compiler) flow(decl *FlowDecl) *Flow {
	f := &Flow{Name: decl.Name, Description: decl.Description, Decl: decl, Timing: decl.Timing.OrDefaults()}
	f.plan = &plan{flow: f}
	f.runs = &Assertion{Flow: f.Name, Name: "runs " + decl.Runs.String(), Kind: KindRuns, Text: decl.Runs.String(), Range: decl.Range}
	if !decl.Runs.Range.IsZero() {
		f.runs.Range = decl.Runs.Range
	}
	c.plan, c.decl = f.plan, decl
	c.origins(decl)
	c.add(&setPlan{name: "spans"})
	for _, list := range [][]SetDecl{c.file.Spans, decl.Spans} {
		for _, s := range list {
			c.add(&setPlan{name: s.Name, source: s.Spans.Text, selector: c.selector(s.Spans), declared: true, at: s.Range, decl: s.Spans})
		}
	}
	arrows := c.arrows(decl.Calls, KindCalls)
	arrows = append(arrows, c.sequence(decl.Sequence)...)
	arrows = append(arrows, c.only(decl.Only)...)
	f.plan.checks = arrows
	for _, a := range decl.Expect {
		c.expect(a)
	}
	for _, a := range decl.Never {
		c.never(a)
	}
	for _, e := range decl.Each {
		c.each(e)
	}
	f.across = c.across(decl.Across)
	for _, k := range f.across {
		f.Across = append(f.Across, k.assertion)
	}
	for _, k := range f.plan.checks {
		k.late = f.plan.lateSets(k)
		f.Assertions = append(f.Assertions, k.assertion)
	}
	return f
}

// add declares a set and returns its number.
func (c *compiler) add(s *setPlan) int {
	if s.selector != nil && !s.inverted {
		s.service, _ = s.selector.ServiceIs()
		s.ofService = s.selector.OfService()
	}
	s.late = s.computed != nil || c.plan.sets != nil && c.plan.sets[s.base].late
	if base := s.base; base != 0 {
		s.unsteady = c.plan.sets[base].unsteady || c.plan.sets[base].computed != nil
	}
	c.plan.sets = append(c.plan.sets, s)
	c.plan.names = append(c.plan.names, s.name)
	return len(c.plan.sets) - 1
}

// spanScope is what a selector may name.
func (c *compiler) spanScope() *lang.Scope {
	return &lang.Scope{Span: true, Params: c.params, Sets: c.declared()}
}

// declared are the names of all sets of the flow, those further down included.
func (c *compiler) declared() []string {
	names := []string{"spans"}
	for _, list := range [][]SetDecl{c.file.Spans, c.decl.Spans} {
		for _, s := range list {
			names = append(names, s.Name)
		}
	}
	return names
}

// flowScope is what an assertion may name.
func (c *compiler) flowScope() *lang.Scope {
	return &lang.Scope{Sets: c.plan.names, Params: c.params, Trigger: c.decl.Trigger.answers()}
}

// selector compiles an expression over one span.
func (c *compiler) selector(e Expr) *lang.Expr {
	x, found := lang.CompileBool(e.Text, c.spanScope())
	c.report(e, found)
	return x
}

// condition compiles an expression over the sets.
func (c *compiler) condition(e Expr) *lang.Expr {
	x, found := lang.CompileBool(e.Text, c.flowScope())
	c.report(e, found)
	return x
}

// generated compiles an expression that desugaring wrote. It cannot be wrong.
func (c *compiler) generated(text string, scope *lang.Scope) *lang.Expr {
	x, found := lang.Compile(text, scope)
	if x == nil {
		panic("desugared expression " + text + ": " + found[0].Error())
	}
	return x
}

func (c *compiler) assertion(kind Kind, name string, e Expr, at diag.Range) *Assertion {
	text := oneLine(e.Text)
	if name == "" {
		name = text
	}
	return &Assertion{Flow: c.plan.flow.Name, Name: name, Kind: kind, Text: e.Text, Range: at}
}

func (c *compiler) expect(a AssertionDecl) {
	k := &check{assertion: c.assertion(KindExpect, a.Name, a.That, a.Range), that: c.condition(a.That), within: a.Within, source: a.That, text: a.That.Text, target: -1, over: -1}
	c.guarded(k, a)
}

// guarded adds what all assertions with braces may have.
func (c *compiler) guarded(k *check, a AssertionDecl) {
	k.assertion.Because, k.assertion.Severity = a.Because, a.Severity
	if !a.When.IsZero() {
		k.when, k.guard = c.condition(a.When), a.When
	}
	c.plan.checks = append(c.plan.checks, k)
}

// never makes the spans that must not be a set, which must be empty.
func (c *compiler) never(a AssertionDecl) {
	if a.Name == "" {
		a.Name = "never " + oneLine(a.That.Text)
	}
	target := c.add(&setPlan{name: c.fresh("never"), source: a.That.Text, selector: c.selector(a.That), decl: a.That, at: a.Range})
	text := c.plan.names[target] + ".empty"
	k := &check{assertion: c.assertion(KindNever, a.Name, a.That, a.Range), that: c.generated(text, c.flowScope()), within: a.Within,
		source: a.That, text: text, target: target, over: -1}
	c.guarded(k, a)
}

// each makes the spans that fail their check a set, which must be empty.
func (c *compiler) each(e EachDecl) {
	over := -1
	if e.Set != "" {
		over, _ = c.set(e.Set)
	}
	if over < 0 {
		over = c.add(&setPlan{name: c.fresh("each"), source: e.Spans.Text, selector: c.selector(e.Spans), decl: e.Spans, at: e.Spans.Range()})
	}
	target := c.add(&setPlan{name: c.fresh("failing"), source: "not (" + e.Check.Text + ")", base: over, selector: c.selector(e.Check), inverted: true, decl: e.Check, at: e.Range})
	text := c.plan.names[target] + ".empty"
	name := e.Name
	if name == "" {
		name = "each " + oneLine(e.Spans.Text) + ": " + oneLine(e.Check.Text)
	}
	k := &check{assertion: c.assertion(KindEach, name, e.Check, e.Range), that: c.generated(text, c.flowScope()), source: e.Check, text: text, target: target, over: over}
	k.assertion.Because, k.assertion.Severity = e.Because, e.Severity
	c.plan.checks = append(c.plan.checks, k)
}

// set finds a declared set.
func (c *compiler) set(name string) (int, bool) {
	for i, n := range c.plan.names {
		if n == name {
			return i, true
		}
	}
	return -1, false
}

// fresh is a name for a set that no set has.
func (c *compiler) fresh(base string) string {
	name := identifierFrom(base)
	for n := 2; ; n++ {
		if _, taken := c.set(name); !taken && !lang.IsReserved(name) {
			return name
		}
		name = identifierFrom(base) + "_" + itoa(n)
	}
}
