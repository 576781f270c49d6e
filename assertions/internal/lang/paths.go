package lang

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/followspan/followspan/trace"
)

// segment is one name of a dotted path.
type segment struct {
	name     string
	quoted   bool // ["name"]
	from, to int
}

// flatten splits a chain such as a.b.c["d"] into what it starts with and its names.
func (c *compiler) flatten(n ast.Node) (ast.Node, []segment) {
	var path []segment
	for {
		if chain, ok := n.(*ast.ChainNode); ok {
			n = chain.Node
			continue
		}
		m, ok := n.(*ast.MemberNode)
		if !ok {
			break
		}
		s, ok := m.Property.(*ast.StringNode)
		if !ok {
			break
		}
		from, to := c.spot(m)
		quoted := m.Property.Location() != m.Location()
		if quoted {
			to = c.bracketEnd(from)
		}
		path = append(path, segment{s.Value, quoted, from, to})
		n = m.Node
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return n, path
}

// member compiles a path or an index.
func (c *compiler) member(x *ast.MemberNode) *Expr {
	base, path := c.flatten(x)
	if len(path) == 0 {
		return c.indexed(x)
	}
	id, bare := base.(*ast.IdentifierNode)
	if !bare {
		return c.path(c.expr(base), path)
	}
	from, to := c.spot(id)
	if c.scope.Span && !c.isLocal(id.Value) {
		// Behind a scalar field the whole dotted path is an attribute: service.version.
		head := segment{id.Value, false, from, to}
		if c.setInSelector(head, path) {
			return c.bad(from, path[len(path)-1].to)
		}
		if _, param := c.scope.Params[id.Value]; !param && id.Value != "it" {
			return c.path(c.subjectSpan(from), append([]segment{head}, path...))
		}
	}
	if e := c.known(id.Value, from, to); e != nil {
		return c.path(e, path)
	}
	c.unknownName(id.Value, from, to)
	return c.bad(from, path[len(path)-1].to)
}

// setInSelector refuses calls.exists and calls.children in a condition on one span, where
// they would be the attributes of these names.
func (c *compiler) setInSelector(head segment, path []segment) bool {
	_, declared := c.scope.set(head.name)
	w, f := wordByName[path[0].name], fieldByName[path[0].name]
	ofSet := w != nil && w.Property || f != nil && (f.Type.isSpans() || f.Type.Base == TList)
	if !declared || !ofSet || path[0].quoted {
		return false
	}
	names := head.name
	for _, s := range path {
		names += "." + s.name
	}
	c.add(head.from, path[0].to, "a set within a condition on one span", "%s is a set, which has no meaning here", head.name).
		try("all of it under expect, where sets have a meaning", "attrs["+strconv.Quote(names)+"] for the attribute of that name")
	return true
}

func (c *compiler) isLocal(name string) bool {
	for _, l := range c.locals {
		if l.name == name {
			return true
		}
	}
	return false
}

// path reads names from e, one after the other.
func (c *compiler) path(e *Expr, path []segment) *Expr {
	start := e.From
	for len(path) > 0 {
		s := path[0]
		switch e.Type.Base {
		case TSpan, TSet:
			return c.spanPath(e, path, start)
		case TMap:
			return c.attr(e, path, anywhere, start)
		case TEvent, TLink:
			return c.detail(e, path, start)
		case TPair:
			if s.name != "a" && s.name != "b" {
				c.add(s.from, s.to, "unknown field of a pair", "the neighbours of a pair are a and b").try("a", "b")
				return c.bad(start, s.to)
			}
			e = c.node(&Expr{Op: OpField, Operator: s.name, Type: typ(TSpan), Args: []*Expr{e}, eval: evalOtherField}, start, s.to)
		case TResponse:
			return c.response(e, path, start)
		case TRun:
			e = c.runField(e, s, start)
		case TGroups:
			e = c.indexBy(e, c.node(&Expr{Op: OpLiteral, Type: typ(TString), lit: stringValue(s.name), eval: evalLiteral}, s.from, s.to), start, s.to)
		case TAny:
			return c.attr(e, path, anywhere, start)
		default:
			if w, ok := c.property(e, s, start); ok {
				e = w
				break
			}
			c.add(s.from, s.to, "unknown field", "%s has no field %q", e.Type, s.name)
			return c.bad(start, s.to)
		}
		path = path[1:]
	}
	return e
}

// spanPath reads names from a span or from all spans of a set.
func (c *compiler) spanPath(e *Expr, path []segment, start int) *Expr {
	s := path[0]
	if !s.quoted {
		if w, ok := c.property(e, s, start); ok {
			return c.path(w, path[1:])
		}
		if f, ok := fieldByName[s.name]; ok && (len(path) == 1 || navigates(f)) {
			if f.Type.Base == TMap {
				return c.attrMap(e, f, path, start)
			}
			return c.path(c.field(e, f, s.from, s.to, start), path[1:])
		}
	}
	if len(path) == 1 && !s.quoted {
		who := "spans have"
		if e.Type.Base == TSet && !c.scope.Span {
			c.unknownOfSet(s)
		} else {
			c.unknownField(s.name, s.from, s.to, who)
		}
		return c.bad(start, s.to)
	}
	return c.attr(e, path, anywhere, start)
}

func (c *compiler) unknownOfSet(s segment) {
	candidates := append(append([]string{}, setProperties...), (&Scope{Span: true}).names()...)
	p := c.add(s.from, s.to, "unknown field of a set", "neither a set nor its spans have a field %q", s.name)
	p.try(append(c.suggest(s.name, candidates), "attrs."+s.name+" for an attribute")...)
}

// navigates reports whether a field has fields of its own.
func navigates(f *field) bool {
	switch f.Type.Base {
	case TSpan, TSet, TMap, TList:
		return true
	}
	return false
}

// field compiles a field of a span, or of all spans of a set.
func (c *compiler) field(of *Expr, f *field, from, to, start int) *Expr {
	if c.scope.Bare && f.edges && f.Name != "isRoot" {
		c.add(from, to, "this is not known of a single span", "%s depends on other spans, and here one is judged the moment it arrives", f.Name)
		return c.bad(start, to)
	}
	t := f.Type
	if of.Type.Base == TSet && t.Base == TSpan {
		t = typ(TSet)
	}
	e := &Expr{Op: OpField, Operator: f.Name, Type: t, Args: []*Expr{of}, field: f, eval: evalSpanField}
	if of.Op == OpElement {
		e.eval = evalElementField
	}
	return c.node(e, start, to).at(from, to)
}

// attrMap reads attrs.x, resource.x or scope.x.
func (c *compiler) attrMap(e *Expr, f *field, path []segment, start int) *Expr {
	if len(path) == 1 {
		return c.field(e, f, path[0].from, path[0].to, start)
	}
	from := anywhere
	switch f.Name {
	case "resource":
		from = inResource
	case "scope":
		from = inScope
	}
	return c.attr(e, path[1:], from, start)
}

// attr reads the attribute whose key is the rest of the path.
func (c *compiler) attr(e *Expr, path []segment, from source, start int) *Expr {
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = s.name
	}
	key := strings.Join(names, ".")
	out := &Expr{Op: OpAttr, Operator: key, Args: []*Expr{e}, keys: trace.Aliases(key), aux: from, eval: evalSpanAttr}
	if e.Op == OpElement {
		out.eval = evalElementAttr
	}
	return c.node(out, start, path[len(path)-1].to).at(path[0].from, path[len(path)-1].to)
}

// indexed compiles x[i] for anything but a name.
func (c *compiler) indexed(x *ast.MemberNode) *Expr {
	base, index := c.expr(x.Node), c.expr(x.Property)
	at, _ := c.spot(x)
	return c.indexBy(base, index, base.From, c.bracketEnd(at))
}

func (c *compiler) indexBy(base, index *Expr, from, to int) *Expr {
	t := base.Type.elem()
	switch base.Type.Base {
	case TSet, TList:
		if index.Type.Base != TNumber && index.Type.Base != TAny {
			c.add(index.From, index.To, "not a position", "%s is counted from 0, and this is %s", base.Type, index.Type)
		}
	case TGroups, TAny, TMap:
	default:
		c.add(from, to, "cannot take a part of this", "%s has no positions", base.Type)
	}
	return c.node(&Expr{Op: OpIndex, Type: t, Args: []*Expr{base, index}, eval: evalIndex}, from, to)
}
