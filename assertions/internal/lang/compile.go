package lang

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/followspan/followspan/internal/diag"
)

// Compile checks source and makes it executable. It reports every problem that it
// finds; the Expr is nil if one of them is more than a warning.
func Compile(source string, s *Scope) (*Expr, []Problem) {
	c := &compiler{scope: s}
	t := c.read(source)
	if t == nil {
		return nil, c.found
	}
	c.text = t
	node := t.parse()
	if node == nil {
		return nil, append(c.found, t.found...)
	}
	if s.Span {
		c.element = append(c.element, element0)
		c.nextSlot = 1
	}
	root := c.expr(node)
	if slices.ContainsFunc(c.found, func(p Problem) bool { return !p.Warning }) {
		return nil, c.found
	}
	root.slots = c.maxSlot + 1
	root.program = c.program(root)
	return root, c.found
}

// CompileBool is Compile for expressions that must be true or false.
func CompileBool(source string, s *Scope) (*Expr, []Problem) {
	e, found := Compile(source, s)
	if e == nil || e.Type.Base == TBool || e.Type.Base == TAny {
		return e, found
	}
	p := &problems{found: found}
	hint := ""
	switch {
	case e.Type.isSpans():
		hint = e.text + ".exists"
	case e.Type.Base == TDuration:
		hint = e.text + " < 500ms"
	case e.Type.Base == TNumber:
		hint = e.text + " == 1"
	case e.Type.Base == TMap:
		hint = "len(" + e.text + ") > 0"
	default:
		hint = e.text + " == …"
	}
	p.add(e.From, e.To, "this is not a condition", "%s is neither true nor false", e.Type).try(hint)
	return nil, p.found
}

// subject is what `.field`, `it` and, in selectors, bare names are about.
type subject struct {
	slot int
	typ  Type
}

var element0 = subject{slot: 0, typ: typ(TSpan)}

type local struct {
	name string
	subject
}

type compiler struct {
	*text
	problems
	scope    *Scope
	element  []subject
	locals   []local
	nextSlot int
	maxSlot  int
	// ambiguous is a not that was reported.
	ambiguous ast.Node
	broken    map[int]bool // where a problem was reported already
}

// add reports one problem at a place, not what follows from it.
func (c *compiler) add(from, to int, what, label string, a ...any) *Problem {
	if c.broken == nil {
		c.broken = map[int]bool{}
	}
	if c.broken[from] {
		return &Problem{}
	}
	c.broken[from] = true
	return c.problems.add(from, to, what, label, a...)
}

// bad stands for a part that could not be compiled.
func (c *compiler) bad(from, to int) *Expr {
	return c.node(&Expr{Op: OpLiteral, eval: evalLiteral}, from, to)
}

// node gives e its place.
func (c *compiler) node(e *Expr, from, to int) *Expr {
	e.From, e.To = from, to
	e.AtFrom, e.AtTo = from, to
	if from >= 0 && to <= len(c.source) && from < to {
		e.text = c.source[from:to]
	}
	return e
}

// at says where the value of e belongs.
func (e *Expr) at(from, to int) *Expr {
	e.AtFrom, e.AtTo = from, to
	return e
}

// expr compiles one node of the syntax tree.
func (c *compiler) expr(n ast.Node) *Expr {
	switch x := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.BytesNode:
		return c.literal(n)
	case *ast.IdentifierNode:
		return c.identifier(x)
	case *ast.PointerNode:
		return c.pointer(x)
	case *ast.ChainNode:
		return c.expr(x.Node)
	case *ast.MemberNode:
		return c.member(x)
	case *ast.SliceNode:
		return c.slice(x)
	case *ast.CallNode:
		return c.callNode(x)
	case *ast.BuiltinNode:
		from, to := c.spot(x)
		return c.call(x.Name, nil, x.Arguments, from, c.callEnd(from, to), from, to)
	case *ast.UnaryNode:
		return c.unary(x)
	case *ast.BinaryNode:
		return c.binary(x)
	case *ast.ConditionalNode:
		return c.conditional(x)
	case *ast.VariableDeclaratorNode:
		return c.let(x)
	case *ast.ArrayNode:
		return c.array(x)
	case *ast.PredicateNode:
		return c.expr(x.Node)
	}
	return c.refused(n)
}

// refused reports syntax of expr that flow files do not offer.
func (c *compiler) refused(n ast.Node) *Expr {
	from, to := c.spot(n)
	switch n.(type) {
	case *ast.MapNode:
		c.add(from, to, "maps cannot be written", "there is nothing here that takes one")
	case *ast.SequenceNode:
		c.add(from, to, "several expressions in one", "only let may stand before a semicolon").try("a and b")
	default:
		c.add(from, to, "cannot use this here", "")
	}
	return c.bad(from, to)
}

// spot is the place of the token that a node is known by, in bytes.
func (c *compiler) spot(n ast.Node) (from, to int) {
	a, b := location(n)
	return c.byte(a), c.byte(b)
}

// tokenAt is the number of the token that starts at a byte, or -1.
func (c *compiler) tokenAt(at int) int {
	r, ok := slices.BinarySearch(c.offsets, at)
	if !ok {
		return -1
	}
	if i, ok := c.at[r]; ok {
		return i
	}
	return -1
}

// bracketEnd is the end of the bracket pair that opens at a byte.
func (c *compiler) bracketEnd(at int) int {
	if i := c.tokenAt(at); i >= 0 && c.partner[i] > i {
		return c.byte(c.tokens[c.partner[i]].To)
	}
	return at
}

// callEnd is the end of the brackets behind a function's name.
func (c *compiler) callEnd(from, to int) int {
	if i := c.tokenAt(from); i >= 0 && i+1 < len(c.tokens) && c.tokens[i+1].Value == "(" && c.partner[i+1] >= 0 {
		return c.byte(c.tokens[c.partner[i+1]].To)
	}
	return to
}

// outer widens a range by the parentheses around it, so that the text of an
// operand is balanced.
func (c *compiler) outer(from, to int) (int, int) {
	for {
		i := c.tokenAt(from) - 1
		if i < 0 || c.tokens[i].Value != "(" || c.partner[i] < 0 {
			return from, to
		}
		close := c.partner[i]
		if c.byte(c.tokens[close-1].To) != to {
			return from, to
		}
		if i > 0 && c.callsAt(i-1) {
			return from, to
		}
		from, to = c.byte(c.tokens[i].From), c.byte(c.tokens[close].To)
	}
}

// callsAt reports whether a bracket behind token i would be a call's.
func (c *compiler) callsAt(i int) bool {
	t := c.tokens[i]
	return t.Kind == "Identifier" || t.Value == "]" || t.Value == ")" || i > 0 && c.tokens[i-1].Value == "."
}

// bind makes room for a value that a closure or let names.
func (c *compiler) bind() int {
	slot := c.nextSlot
	c.nextSlot++
	c.maxSlot = max(c.maxSlot, c.nextSlot)
	return slot
}

func (c *compiler) suggest(name string, candidates []string) []string {
	if s, ok := diag.Suggest(name, candidates); ok {
		return []string{s}
	}
	return nil
}

// program finds what the whole expression reads.
func (c *compiler) program(root *Expr) *Program {
	p := &Program{Text: c.source, Root: root}
	root.Walk(func(e *Expr) bool {
		switch {
		case e.Op == OpSet:
			p.Sets = append(p.Sets, e.index)
		case e.Op == OpField && e.field != nil && e.field.edges, e.Op == OpCall && e.Word.Edges:
			p.ReadsEdges = true
		case e.Op == OpResponse:
			p.ReadsResponse = true
		}
		if e.tallied() {
			p.Tallies++
			e.index = p.Tallies
			e.service = e.serviceOfClosure()
		}
		return true
	})
	slices.Sort(p.Sets)
	p.Sets = slices.Compact(p.Sets)
	return p
}
