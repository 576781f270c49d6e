package lang

import (
	"strings"

	"github.com/expr-lang/expr/ast"
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
