package lang

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/followspan/followspan/internal/diag"
)

// callNode compiles f(x, y) of a function that the parser does not know, and x.f(y).
func (c *compiler) callNode(x *ast.CallNode) *Expr {
	from, to := c.spot(x)
	end := c.callEnd(from, to)
	switch callee := x.Callee.(type) {
	case *ast.IdentifierNode:
		return c.call(callee.Value, nil, x.Arguments, from, end, from, to)
	case *ast.MemberNode:
		if name, ok := callee.Property.(*ast.StringNode); ok {
			receiver := c.expr(callee.Node)
			start, _ := c.outer(receiver.From, receiver.To)
			return c.call(name.Value, receiver, x.Arguments, start, end, from, to)
		}
	}
	c.add(from, to, "not a function", "only words of the vocabulary can be called")
	return c.bad(from, end)
}

// renamed are words of expr and of other tools that have another name here.
var renamed = map[string]string{"where": "filter", "length": "len", "size": "len", "size_of": "len", "exist": "exists",
	"average": "mean", "avg": "mean", "unique": "distinct", "uniq": "distinct", "every": "all", "some": "any", "precedes": "before", "follows": "after"}

// call compiles a word with its arguments; receiver is what stood before the dot.
// The last two are where its name stands.
func (c *compiler) call(name string, receiver *Expr, args []ast.Node, from, to, nameFrom, nameTo int) *Expr {
	w, ok := wordByName[name]
	if name == "where" {
		w, ok = wordByName["filter"], true
	}
	if !ok {
		c.unknownWord(name, nameFrom, nameTo)
		return c.bad(from, to)
	}
	e := c.node(&Expr{Op: OpCall, Operator: name, Word: w, Type: w.Result, eval: evalCall}, from, to)
	if receiver != nil {
		e.Args = append(e.Args, receiver)
	}
	for _, a := range args {
		spec, _ := w.arg(len(e.Args))
		if spec.Kind == ClosureArg {
			e.Args = append(e.Args, c.closure(e, a))
		} else {
			e.Args = append(e.Args, c.expr(a))
		}
	}
	e.at(nameFrom, nameTo)
	if !c.arguments(e, nameFrom, nameTo) {
		return c.bad(from, to)
	}
	if w.result != nil {
		e.Type = w.result(e)
	}
	return e
}

// property compiles x.count and the like.
func (c *compiler) property(of *Expr, s segment, start int) (*Expr, bool) {
	w, ok := wordByName[s.name]
	if !ok || !w.Property || s.quoted {
		return nil, false
	}
	if b := of.Type.Base; b != TSet && b != TSpan && b != TList {
		return nil, false
	}
	e := c.node(&Expr{Op: OpCall, Operator: s.name, Word: w, Type: w.Result, Args: []*Expr{of}, eval: evalCall}, start, s.to).at(s.from, s.to)
	if w.result != nil {
		e.Type = w.result(e)
	}
	return e, true
}

func (c *compiler) unknownWord(name string, from, to int) {
	var names []string
	for _, w := range Words {
		names = append(names, w.Name)
	}
	p := c.add(from, to, "unknown function", "there is no function %q", name)
	switch other, ok := renamed[name]; {
	case ok:
		p.try(other)
	case banned[name] != "":
		p.Label = banned[name]
	default:
		if s, ok := diag.Suggest(name, names); ok {
			p.try(s)
		}
	}
}

// banned are functions of expr that are not offered, and why.
var banned = map[string]string{
	"now": "verdicts must not depend on when they are computed", "date": "verdicts must not depend on when they are computed",
	"timezone": "times are compared as they are", "duration": "a duration is written as 500ms, without quotes",
	"fromJSON": "strings are parsed with json(s)", "toJSON": "values are compared as they are",
	"repeat": "it would make strings of any size",
}

// arg is the specification of argument i.
func (w *Word) arg(i int) (Arg, bool) {
	if i < len(w.Args) {
		return w.Args[i], true
	}
	if n := len(w.Args); n > 0 && w.Args[n-1].Many {
		return w.Args[n-1], true
	}
	return Arg{}, false
}

// closure compiles the argument that runs for every element.
func (c *compiler) closure(e *Expr, n ast.Node) *Expr {
	from, to := c.spot(n)
	if p, ok := n.(*ast.PredicateNode); ok {
		if i := c.tokenAt(from); i >= 0 && c.tokens[i].Value == "{" {
			to = c.bracketEnd(from)
		}
		n = p.Node
	}
	elem := typ(TAny)
	if len(e.Args) > 0 {
		elem = e.Args[0].Type.elem()
		if e.Args[0].Type.Base == TSpan {
			elem = typ(TSpan)
		}
	}
	slot := c.bind()
	c.element = append(c.element, subject{slot, elem})
	body := c.expr(n)
	c.element = c.element[:len(c.element)-1]
	start, end := c.outer(body.From, body.To)
	return c.node(&Expr{Op: OpClosure, Type: body.Type, Args: []*Expr{body}, slot: slot, eval: evalBody}, start, max(end, min(to, end)))
}

func evalBody(f *Frame, e *Expr) Value { return e.Args[0].value(f) }

// arguments checks number and types.
func (c *compiler) arguments(e *Expr, nameFrom, nameTo int) bool {
	w := e.Word
	least := 0
	for _, a := range w.Args {
		if !a.Optional {
			least++
		}
	}
	if len(e.Args) < least {
		c.add(nameFrom, nameTo, "too few arguments", "%s needs %s", w.Name, argName(w.Args[len(e.Args)])).try(w.Signature())
		return false
	}
	for i, a := range e.Args {
		spec, ok := w.arg(i)
		if !ok {
			c.add(a.From, a.To, "too many arguments", "%s takes no more than %d", w.Name, len(w.Args)).try(w.Signature())
			return false
		}
		c.argument(w, spec, a, e)
	}
	return true
}

func argName(a Arg) string { return argNames[a.Kind] }

// Signature shows how the word is written.
func (w *Word) Signature() string {
	var args []string
	for _, a := range w.Args {
		text := a.Name
		if a.Many {
			text += ", …"
		}
		if a.Optional {
			text = "[" + text + "]"
		}
		args = append(args, text)
	}
	if w.Property && len(args) == 1 {
		return args[0] + "." + w.Name
	}
	return w.Name + "(" + strings.Join(args, ", ") + ")"
}

func (c *compiler) argument(w *Word, spec Arg, a, e *Expr) {
	b := a.Type.Base
	ok := b == TAny
	switch spec.Kind {
	case AnyArg:
		ok = true
	case SpansArg:
		ok = ok || a.Type.isSpans() || b == TList && (a.Type.elem().Base == TSpan || a.Type.elem().Base == TAny)
	case ManyArg:
		ok = ok || a.Type.isMany()
	case ClosureArg:
		ok = a.Op == OpClosure
		if want := w.closureBool(); ok && want {
			c.wantBool(a.Args[0])
		}
		if key, constant := closureBody(a).Literal(); constant && key.kind != Missing && spec.Name == keyArg.Name {
			c.constantKey(w, key, a)
			return
		}
	case NumberArg:
		ok = ok || b == TNumber
	case StringArg:
		ok = ok || b == TString
	case DurationArg:
		ok = ok || b == TDuration
	case ListArg:
		ok = ok || b == TList
	case KeyedArg:
		ok = ok || b == TGroups || b == TMap
	case NumbersArg:
		ok = ok || a.Type.isSpans() || b == TList
	case PatternArg:
		c.pattern(e, a)
		ok = true
	}
	if !ok {
		p := c.add(a.From, a.To, "wrong argument", "%s wants %s here, and this is %s", w.Name, argNames[spec.Kind], a.Type)
		if spec.Kind == DurationArg && a.Op == OpLiteral && b == TNumber {
			p.try(a.text+"ms", a.text+"s")
		}
		if spec.Kind == ManyArg && b == TMap {
			p.try("values("+a.text+")", "keys("+a.text+")")
		}
	}
}

func closureBody(a *Expr) *Expr {
	if a.Op == OpClosure {
		return a.Args[0]
	}
	return a
}

// constantKey refuses a key that is the same for every element: mostly the name of an
// attribute is meant.
func (c *compiler) constantKey(w *Word, key Value, a *Expr) {
	p := c.add(a.From, a.To, "this is no key", "it is the same for each of what %s looks at", w.Name)
	switch name := key.Str(); {
	case fieldByName[name] != nil || strings.Contains(name, "."):
		p.try("." + name)
	case name != "":
		p.try(".attrs." + name)
	}
}

// closureBool reports whether the word's closure is a condition.
func (w *Word) closureBool() bool {
	switch w.Name {
	case "any", "all", "none", "one", "count", "filter", "find", "findLast", "criticalShare":
		return true
	}
	return false
}
