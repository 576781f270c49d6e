package lang

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/followspan/followspan/internal/diag"
)

// operand compiles an operand; its place includes the parentheses around it.
func (c *compiler) operand(n ast.Node) (e *Expr, from, to int) {
	e = c.expr(n)
	from, to = c.outer(e.From, e.To)
	return e, from, to
}

func (c *compiler) unary(x *ast.UnaryNode) *Expr {
	at, _ := c.spot(x)
	e, from, to := c.operand(x.Node)
	from = min(from, at)
	switch x.Operator {
	case "not", "!":
		if c.ambiguous != x {
			c.wantBool(e)
		}
		return c.node(&Expr{Op: OpNot, Type: typ(TBool), Args: []*Expr{e}, eval: evalNot}, from, to).at(c.spot(x))
	}
	switch e.Type.Base {
	case TNumber, TDuration, TAny:
		if e.Op == OpLiteral && x.Operator == "-" {
			return c.node(&Expr{Op: OpLiteral, Type: e.Type, lit: negated(e.lit), eval: evalLiteral}, from, to)
		}
		return c.node(&Expr{Op: OpArith, Operator: x.Operator, Type: e.Type, Args: []*Expr{e}, eval: evalSign}, from, to)
	}
	c.add(from, to, "cannot take the negative", "this is %s", e.Type)
	return c.bad(from, to)
}

func (c *compiler) wantBool(e *Expr) {
	if e.Type.Base == TBool || e.Type.Base == TAny {
		return
	}
	p := c.add(e.From, e.To, "this is not a condition", "%s is neither true nor false", e.Type)
	switch {
	case e.Type.isSpans():
		p.try(e.text + ".exists")
	case e.Type.Base == TNumber:
		p.try(e.text + " > 0")
	case e.Type.Base == TString:
		p.try(e.text + ` == "…"`)
	}
}

func (c *compiler) binary(x *ast.BinaryNode) *Expr {
	if c.isChain(x) {
		return c.refusedChain(x)
	}
	c.notBound(x)
	l, from, _ := c.operand(x.Left)
	r, _, to := c.operand(x.Right)
	e := &Expr{Operator: x.Operator, Type: typ(TBool), Args: []*Expr{l, r}}
	c.node(e, from, to).at(c.spot(x))
	switch x.Operator {
	case "and", "&&":
		c.wantBool(l)
		c.wantBool(r)
		e.Op, e.Operator, e.eval = OpAnd, "and", evalAnd
	case "or", "||":
		c.wantBool(l)
		c.wantBool(r)
		e.Op, e.Operator, e.eval = OpOr, "or", evalOr
	case "==", "!=", "<", "<=", ">", ">=":
		return c.comparison(e)
	case "in", "contains", "startsWith", "endsWith", "matches":
		return c.matching(e)
	case "+", "-", "*", "/", "%", "**", "^":
		return c.arithmetic(e)
	case "??":
		e.Op, e.Type, e.eval = OpElse, either(l.Type, r.Type), evalElse
	case "..":
		return c.rangeOf(e)
	default:
		c.add(from, to, "unknown operator", "%s is not offered here", x.Operator)
	}
	return e
}

// isChain recognises a < b < c, which the parser turns into two comparisons that
// share their middle.
func (c *compiler) isChain(x *ast.BinaryNode) bool {
	if x.Operator != "&&" {
		return false
	}
	at, _ := c.spot(x)
	i := c.tokenAt(at)
	return i >= 0 && strings.ContainsAny(c.tokens[i].Value, "<>")
}

func (c *compiler) refusedChain(x *ast.BinaryNode) *Expr {
	from, to := c.spot(x)
	c.add(from, to, "comparisons in a row", "compare two values at a time").try("a < b and b < c")
	return c.bad(from, to)
}

// notBound refuses `not a == b`, in which expr negates a alone.
func (c *compiler) notBound(x *ast.BinaryNode) {
	u, ok := x.Left.(*ast.UnaryNode)
	if !ok || u.Operator != "not" && u.Operator != "!" || !binds(x.Operator) {
		return
	}
	at, end := c.spot(u)
	operator, to := c.spot(x)
	if c.parenthesised(at, operator) {
		return // (not a) == b was meant
	}
	c.ambiguous = u
	negated := strings.TrimSpace(c.source[end:operator])
	c.add(at, end, "not is ambiguous here", "it would negate only %s", negated).
		try("not (" + negated + " " + c.source[operator:to] + " …)")
}

// binds reports whether an operator binds less than not.
func binds(operator string) bool {
	switch operator {
	case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
		return true
	}
	return false
}

// parenthesised reports whether a bracket opens before the first byte and closes
// before the second.
func (c *compiler) parenthesised(at, operator int) bool {
	i := c.tokenAt(at) - 1
	return i >= 0 && c.tokens[i].Value == "(" && c.partner[i] >= 0 && c.byte(c.tokens[c.partner[i]].To) <= operator
}

// comparison checks the types of both sides.
func (c *compiler) comparison(e *Expr) *Expr {
	l, r := e.Args[0], e.Args[1]
	e.Op, e.eval = OpCompare, evalCompare
	if l.Type.Base == TNil && r.Type.Base != TNil {
		l, r = r, l
		e.Args = []*Expr{l, r}
	}
	equality := e.Operator == "==" || e.Operator == "!="
	switch {
	case r.Type.Base == TNil && equality:
		e.eval = evalPresence
	case r.Type.Base == TNil:
		c.add(r.From, r.To, "nil has no order", "only == nil and != nil have a meaning")
	case l.Type.Base == TAny || r.Type.Base == TAny:
	case l.Type.Base != r.Type.Base && !(l.Type.isSpans() && r.Type.isSpans()):
		c.incomparable(e, l, r)
	case !equality && (l.Type.Base == TBool || !l.Type.isScalar()):
		c.add(e.From, e.To, "these have no order", "%s is neither less nor greater than another", l.Type)
	case l.Type.isSpans() && equality:
		e.eval = evalSameSpans
	}
	c.enum(l, r)
	c.enum(r, l)
	return e
}

func (c *compiler) incomparable(e, l, r *Expr) {
	p := c.add(e.From, e.To, "cannot compare these", "%s is %s, %s is %s", l.text, l.Type, r.text, r.Type)
	d, other := l, r
	if r.Type.Base == TDuration {
		d, other = r, l
	}
	switch {
	case d.Type.Base == TDuration && other.Op == OpLiteral && other.Type.Base == TNumber:
		p.try(other.text+"ms", other.text+"s").note("A duration has a unit.")
	case d.Type.Base == TDuration && other.Op == OpLiteral && other.Type.Base == TString:
		p.try(strings.Trim(other.text, "\"'`")).note("A duration stands without quotes.")
	case d.Type.Base == TDuration && other.Op == OpCall:
		p.note("A duration is written as 500ms, 1.5s or 2m, without quotes.")
	case d.Type.Base == TDuration && other.Type.Base == TNumber:
		p.try(other.text + " * 1ms").note("A duration is written as 500ms, 1.5s or 2m, without quotes.")
	case l.Type.isSpans() && r.Type.Base == TNumber:
		p.try(l.text + ".count " + e.Operator + " " + r.text)
	case l.Type.Base == TTime || r.Type.Base == TTime:
		p.note("A time is compared with a time, such as payment.end; time - time is a duration.")
	}
}

// enum refuses a literal that a field can never be: kind == "sever".
func (c *compiler) enum(fieldExpr, literal *Expr) {
	if fieldExpr.field == nil || fieldExpr.field.values == nil {
		return
	}
	for _, l := range literals(literal) {
		v := l.lit.Str()
		if l.Type.Base != TString || slices.Contains(fieldExpr.field.values, v) {
			continue
		}
		p := c.add(l.From, l.To, "never true", "no span has the %s %q", fieldExpr.field.Name, v)
		if s, ok := diag.Suggest(v, fieldExpr.field.values); ok {
			p.try(`"` + s + `"`)
		} else {
			p.note("%s is one of %s.", fieldExpr.field.Name, strings.Join(fieldExpr.field.values, ", "))
		}
	}
}

func literals(e *Expr) []*Expr {
	switch e.Op {
	case OpLiteral:
		return []*Expr{e}
	case OpList:
		return e.Args
	}
	return nil
}

// matching compiles in, contains, startsWith, endsWith and matches.
func (c *compiler) matching(e *Expr) *Expr {
	e.Op = OpMatch
	l, r := e.Args[0], e.Args[1]
	switch e.Operator {
	case "in":
		e.eval = evalIn
		if b := r.Type.Base; b != TAny && b != TMap && !r.Type.isMany() {
			c.add(r.From, r.To, "nothing can be in this", "%s is neither a list nor a set", r.Type).try(l.text + " == " + r.text)
		}
		c.enum(l, r)
	case "matches":
		e.eval = evalMatches
		c.wantString(l)
		c.pattern(e, r)
	default:
		e.eval = evalText
		if e.Operator == "contains" && (r.Type.Base == TAny || l.Type.Base == TList || l.Type.Base == TAny) {
			break
		}
		c.wantString(l)
		c.wantString(r)
	}
	return e
}

func (c *compiler) wantString(e *Expr) {
	if e.Type.Base != TString && e.Type.Base != TAny {
		c.add(e.From, e.To, "this is not a string", "it is %s", e.Type)
	}
}

// maxPattern bounds the regular expressions that are compiled; RE2 runs in linear
// time, but a pattern of counted repetitions takes memory.
const maxPattern = 1000

// pattern compiles a regular expression once, at load. What a span says is never
// taken for one.
func (c *compiler) pattern(e, pattern *Expr) {
	text, constant := pattern.Literal()
	switch {
	case !constant || text.kind != String:
		c.add(pattern.From, pattern.To, "not a constant pattern", "a regular expression is a string in the file or a param")
	case len(text.str) > maxPattern:
		c.add(pattern.From, pattern.To, "pattern too long", "%d bytes, and a pattern may have %d", len(text.str), maxPattern)
	default:
		re, err := regexp.Compile(text.str)
		if err != nil {
			c.add(pattern.From, pattern.To, "not a regular expression", "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")).
				note("The syntax is RE2's.")
			return
		}
		e.aux = re
	}
}

func (c *compiler) conditional(x *ast.ConditionalNode) *Expr {
	if x.Cond == x.Exp1 {
		from, to := c.spot(x)
		c.add(from, to, "?: needs three parts", "").try("a ? b : c", "a ?? b")
		return c.bad(from, to)
	}
	cond, from, _ := c.operand(x.Cond)
	c.wantBool(cond)
	a := c.expr(x.Exp1)
	b, _, to := c.operand(x.Exp2)
	if !x.Ternary {
		to = c.blockEnd(b.To)
	}
	return c.node(&Expr{Op: OpIf, Type: either(a.Type, b.Type), Args: []*Expr{cond, a, b}, eval: evalIf}, from, to)
}

// blockEnd is the end of the } that follows, of if … {} else {}.
func (c *compiler) blockEnd(to int) int {
	rest := c.source[to:]
	if trimmed := strings.TrimLeft(rest, " \t\r\n"); strings.HasPrefix(trimmed, "}") {
		return to + len(rest) - len(trimmed) + 1
	}
	return to
}

func (c *compiler) let(x *ast.VariableDeclaratorNode) *Expr {
	at, end := c.spot(x)
	if _, field := fieldByName[x.Name]; IsReserved(x.Name) || field {
		c.add(at, end, "this name has a meaning already", "%s cannot be a name", x.Name).try("my_" + x.Name)
	}
	v := c.expr(x.Value)
	slot := c.bind()
	c.locals = append(c.locals, local{x.Name, subject{slot, v.Type}})
	body, _, to := c.operand(x.Expr)
	c.locals = c.locals[:len(c.locals)-1]
	from := max(strings.LastIndex(c.source[:at], "let"), 0)
	return c.node(&Expr{Op: OpLet, Operator: x.Name, Type: body.Type, Args: []*Expr{v, body}, slot: slot, eval: evalLet}, from, to)
}

func (c *compiler) array(x *ast.ArrayNode) *Expr {
	at, _ := c.spot(x)
	e := &Expr{Op: OpList, eval: evalList}
	t := Type{}
	constant := true
	var elems []Value
	for i, n := range x.Nodes {
		a := c.expr(n)
		e.Args = append(e.Args, a)
		if i == 0 {
			t = a.Type
		} else {
			t = either(t, a.Type)
		}
		constant = constant && a.Op == OpLiteral
		elems = append(elems, a.lit)
	}
	e.Type = listOf(t)
	if constant {
		e.lit, e.eval = listValue(elems, nil), evalLiteral
	}
	return c.node(e, at, c.bracketEnd(at))
}

func (c *compiler) slice(x *ast.SliceNode) *Expr {
	at, _ := c.spot(x)
	base := c.expr(x.Node)
	zero := &Expr{Op: OpLiteral, Type: typ(TNil), eval: evalLiteral}
	e := &Expr{Op: OpSlice, Type: base.Type, Args: []*Expr{base, zero, zero}, eval: evalSlice}
	if x.From != nil {
		e.Args[1] = c.expr(x.From)
	}
	if x.To != nil {
		e.Args[2] = c.expr(x.To)
	}
	return c.node(e, base.From, c.bracketEnd(at))
}
