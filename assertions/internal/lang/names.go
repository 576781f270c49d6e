package lang

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/followspan/followspan/internal/diag"
)

func (c *compiler) literal(n ast.Node) *Expr {
	from, to := c.spot(n)
	e := &Expr{Op: OpLiteral, eval: evalLiteral}
	switch x := n.(type) {
	case *ast.NilNode:
		e.Type = typ(TNil)
	case *ast.BoolNode:
		e.lit = boolValue(x.Value)
	case *ast.IntegerNode:
		e.lit = intValue(int64(x.Value))
	case *ast.FloatNode:
		e.lit = floatValue(x.Value)
	case *ast.StringNode:
		e.lit = stringValue(x.Value)
	case *ast.BytesNode:
		e.lit = Value{kind: Bytes, str: string(x.Value)}
	}
	if e.lit.kind != Missing {
		e.Type = typeOf(e.lit)
	}
	return c.node(e, from, to)
}

// identifier compiles a bare word.
func (c *compiler) identifier(x *ast.IdentifierNode) *Expr {
	from, to := c.spot(x)
	if e := c.known(x.Value, from, to); e != nil {
		return e
	}
	if c.scope.Span {
		c.unknownField(x.Value, from, to, "spans have")
	} else {
		c.unknownName(x.Value, from, to)
	}
	return c.bad(from, to)
}

// known compiles a word that means something by itself, or returns nil.
func (c *compiler) known(name string, from, to int) *Expr {
	if d, ok := hiddenDuration(name); ok {
		return c.node(&Expr{Op: OpLiteral, Type: typ(TDuration), lit: durationValue(d), eval: evalLiteral}, from, to)
	}
	for i := len(c.locals) - 1; i >= 0; i-- {
		if l := c.locals[i]; l.name == name {
			return c.node(&Expr{Op: OpLocal, Operator: name, Type: l.typ, slot: l.slot, eval: evalSlot}, from, to)
		}
	}
	if name == "it" && len(c.element) > 0 {
		return c.subject(from, to)
	}
	if v, ok := c.scope.Params[name]; ok {
		return c.node(&Expr{Op: OpParam, Operator: name, Type: typeOf(v), lit: v, eval: evalLiteral}, from, to)
	}
	if c.scope.Span {
		if f, ok := fieldByName[name]; ok {
			return c.field(c.subjectSpan(from), f, from, to, from)
		}
		return nil
	}
	if c.scope.Across {
		if name == "runs" {
			return c.node(&Expr{Op: OpRuns, Operator: name, Type: listOf(typ(TRun)), eval: evalRuns}, from, to)
		}
		return nil
	}
	if i, ok := c.scope.set(name); ok {
		return c.node(&Expr{Op: OpSet, Operator: name, Type: typ(TSet), index: i, eval: evalSet}, from, to)
	}
	switch {
	case name == "origin":
		return c.node(&Expr{Op: OpOrigin, Operator: name, Type: typ(TSpan), eval: evalOrigin}, from, to)
	case name == "response" && c.scope.Trigger:
		return c.node(&Expr{Op: OpResponse, Operator: name, Type: typ(TResponse), eval: evalResponse}, from, to)
	}
	return nil
}

// subject is the element of the innermost closure, or the selector's span.
func (c *compiler) subject(from, to int) *Expr {
	s := c.element[len(c.element)-1]
	return c.node(&Expr{Op: OpElement, Operator: "it", Type: s.typ, slot: s.slot, eval: evalSlot}, from, to)
}

// subjectSpan is the span that a selector's bare names are about.
func (c *compiler) subjectSpan(at int) *Expr {
	return c.node(&Expr{Op: OpElement, Operator: "it", Type: typ(TSpan), eval: evalSlot}, at, at)
}

// pointer compiles the dot of `.field`, or #.
func (c *compiler) pointer(x *ast.PointerNode) *Expr {
	from, to := c.spot(x)
	switch {
	case x.Name != "":
		c.add(from, to, "unknown name", "there is no #%s here", x.Name).try("it")
	case len(c.element) == 0:
		c.add(from, to, "a field of nothing", "only within a closure, or behind a span or a set, is there something that has fields").try(`any(spans, .service == "x")`)
	default:
		return c.subject(from, to)
	}
	return c.bad(from, to)
}

func (c *compiler) unknownField(name string, from, to int, who string) {
	p := c.add(from, to, "unknown field on span", "%s no field %q", who, name)
	var try []string
	if s, ok := diag.Suggest(name, (&Scope{Span: true}).names()); ok {
		try = append(try, s)
	} else if c.scope.Span {
		if s, ok := diag.Suggest(name, c.scope.names()); ok {
			try = append(try, s)
		}
	}
	p.try(append(try, "attrs."+name+" for an attribute")...)
	if _, ok := c.scope.set(name); ok && c.scope.Span {
		p.Try = nil
		p.note("%s is a set; this is an expression over one span, in which sets have no meaning. Under expect: they have.", name)
	}
}

func (c *compiler) unknownName(name string, from, to int) {
	p := c.add(from, to, "unknown name", "nothing is called %q here", name)
	if s := c.suggest(name, c.scope.names()); s != nil {
		p.try(s...)
		return
	}
	switch _, isField := fieldByName[name]; {
	case isField:
		p.try("any(spans, ."+name+" …)").note("%s is a field of a span; here stand sets of spans.", name)
	case c.scope.Across:
		p.try("all(runs, ."+name+" …)").note("across: is about all runs; %s belongs to each of them.", name)
	case name == "response":
		p.note("response is what a trigger was answered, and this flow has none that is answered.")
	case len(c.scope.Sets) > 1:
		p.note("the sets here are %s.", strings.Join(c.scope.Sets, ", "))
	default:
		p.note("no sets are declared; a set is declared under spans: as %s: service == \"…\".", name)
	}
}
