package lang

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/followspan/followspan/internal/diag"
)

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
	if r.Op == OpLiteral && r.Type.Base != TNil && !l.Type.isSpans() {
		e.eval = evalCompareLiteral
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
		} else if of := r.Type.members(); l.Type.Base != TAny && of.Base != TAny && l.Type.Base != of.Base && !(l.Type.isSpans() && of.isSpans()) {
			c.add(e.From, e.To, "cannot compare these", "%s is %s, and in %s are %s", l.text, l.Type, r.text, pluralNames[of.Base])
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
		p, err := compilePattern(text.str)
		if err != nil {
			c.add(pattern.From, pattern.To, "not a regular expression", "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")).
				note("The syntax is RE2's.")
			return
		}
		e.aux = p
	}
}
