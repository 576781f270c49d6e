package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// data explains a condition about values: both, with their types, and where each
// was read.
func (x *explainer) data(c *lang.Expr) {
	parts := x.typed(c)
	var texts []string
	for _, p := range parts {
		texts = append(texts, p.text)
	}
	switch {
	case c.Calls("same"):
		x.Why = apart(parts)
	case len(texts) == 0:
		x.Why = oneLine(c.Text()) + " is " + x.show(c.Value(x.frame))
	case c.Op == lang.OpCompare && len(parts) == 1:
		x.Why = texts[0] + ", " + x.wanted(c, parts[0].expr)
	default:
		x.Why = enumerate(texts, "and")
	}
	x.readings(c)
	for _, a := range c.Args {
		if v, ok := a.Literal(); ok && c.Op == lang.OpCompare && len(parts) == 1 {
			parts = append(parts, part{expr: a, value: v})
		}
	}
	x.hints(parts)
}

// apart says what tells the values of same apart: those that are alike are named
// together.
func apart(parts []part) string {
	var groups [][]part
	for _, p := range parts {
		i := slices.IndexFunc(groups, func(g []part) bool {
			return g[0].value.Kind() == p.value.Kind() && lang.Same(g[0].value, p.value) || g[0].value.Kind() == lang.Missing && p.value.Kind() == lang.Missing
		})
		if i < 0 {
			groups = append(groups, []part{p})
			continue
		}
		groups[i] = append(groups[i], p)
	}
	slices.SortStableFunc(groups, func(a, b []part) int { return len(a) - len(b) })
	texts := make([]string, len(groups))
	for i, g := range groups {
		if len(g) == 1 {
			texts[i] = g[0].text
			continue
		}
		names := make([]string, len(g))
		for j, p := range g {
			names[j] = subject(p.expr)
		}
		texts[i] = enumerate(names, "and") + " are" + strings.TrimPrefix(g[0].text, names[0]+" is")
	}
	return strings.Join(texts, "; ")
}

// wanted says what a comparison asks of its one operand that is no constant.
func (x *explainer) wanted(c, operand *lang.Expr) string {
	limit := other(c, operand)
	if limit.Op == lang.OpLiteral && limit.Type.Base == lang.TNil {
		if c.Operator == "==" {
			return "it should be missing"
		}
		return "it should be there"
	}
	v := x.show(limit.Value(x.frame))
	if limit.Op == lang.OpParam {
		v += " (" + limit.Operator + ")"
	}
	return bound(c, operand, v)
}

// part is one operand with its value.
type part struct {
	expr  *lang.Expr
	value lang.Value
	text  string
}

// typed describes the operands of a condition, with their types where these differ.
func (x *explainer) typed(c *lang.Expr) []part {
	if c.Op == lang.OpAnd || c.Op == lang.OpOr {
		return append(x.typed(c.Args[0]), x.typed(c.Args[1])...)
	}
	var out []part
	kinds := map[lang.Kind]bool{}
	for _, o := range operands(c) {
		v := o.Value(x.frame)
		if v.Kind() != lang.Missing {
			kinds[v.Kind()] = true
		}
		out = append(out, part{expr: o, value: v})
	}
	for _, a := range c.Args {
		if v, ok := a.Literal(); ok && a.Type.Base != lang.TNil {
			kinds[v.Kind()] = true
		}
	}
	mixed := len(kinds) > 1 || c.Calls("isInt", "isFloat", "isString", "isBool", "isList")
	for i, p := range out {
		name := subject(p.expr)
		if slices.ContainsFunc(out, func(q part) bool { return q.expr != p.expr && subject(q.expr) == name }) {
			name = clone(oneLine(p.expr.Text())) // the dot tells them apart
		}
		switch p.value.Kind() {
		case lang.Missing:
			out[i].text = name + " is missing"
		case lang.Set:
			out[i].text = fmt.Sprintf("%s is %s", name, counted(len(p.value.Nodes()), "span"))
		case lang.Int, lang.Float, lang.String, lang.Bool:
			if mixed {
				out[i].text = name + " is " + clone(lang.Describe(p.value))
				break
			}
			fallthrough
		default:
			out[i].text = name + " is " + x.show(p.value)
		}
	}
	return out
}

// readings shows each span that a value was read from.
func (x *explainer) readings(c *lang.Expr) {
	seen := map[string]bool{}
	c.Outside(func(e *lang.Expr) {
		if !e.IsScalar() || len(e.Args) == 0 {
			return
		}
		v := e.Args[0].Value(x.frame)
		if v.Kind() != lang.Set && v.Kind() != lang.Span {
			return
		}
		nodes := v.Nodes()
		if len(nodes) == 0 {
			x.note("%s is missing because there is no span in %s.", oneLine(e.Text()), oneLine(e.Args[0].Text()))
			if plan := x.setOf(e.Args[0]); plan != nil && len(x.Near) == 0 {
				x.missing(plan)
			}
			return
		}
		for _, n := range x.frame.ByStart(nodes) {
			if key := fmt.Sprint(n, e.Operator); !seen[key] {
				seen[key] = true
				x.span(n, "%s", x.reading(e, n))
			}
		}
	})
}

// reading says what one span has under a name, and where it was found.
func (x *explainer) reading(e *lang.Expr, n trace.Node) string {
	v := e.Read(x.frame, n)
	if v.Kind() == lang.Missing {
		if similar := x.similarKey(e, n); similar != "" {
			return fmt.Sprintf("no %s, but %s", e.Operator, similar)
		}
		return "no " + e.Operator
	}
	text := fmt.Sprintf("%s = %s (%s)", e.Operator, x.show(v), v.Kind())
	if key, ok := e.MatchedKey(x.frame, n); ok && key != e.Operator {
		text += ", sent as " + clone(key)
	}
	if where := e.WhereFound(x.frame, n); where == "resource" || where == "scope" {
		text += ", on its " + where
	}
	return text
}

// similarKey is an attribute of the span whose name is nearly the one asked for.
func (x *explainer) similarKey(e *lang.Expr, n trace.Node) string {
	if e.Op != lang.OpAttr {
		return ""
	}
	var keys []string
	for key := range x.flow.Span(n).Attrs() {
		keys = append(keys, clone(key))
	}
	if near, ok := nearKey(e.Operator, keys); ok {
		v, _ := x.flow.Span(n).Attr(near)
		return fmt.Sprintf("%s = %s", near, clone(v.String()))
	}
	return ""
}
