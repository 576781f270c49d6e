package lang

import (
	"errors"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// Predicates are arguments of functions that the parser does not know, so the
// whole source is parsed as the predicate of one that it does know: within it
// `.field` is allowed everywhere.
const (
	before = "any([],{"
	after  = "\n})"
)

// parse returns the syntax tree of the source, or nil after saying what is wrong.
// Locations in it count runes from the start of before.
func (t *text) parse() ast.Node {
	tree, err := parser.ParseWithConfig(before+t.hidden+after, syntax)
	var e *file.Error
	if errors.As(err, &e) {
		t.syntaxError(e)
		return nil
	}
	if b, ok := tree.Node.(*ast.BuiltinNode); ok && len(b.Arguments) == 2 {
		if p, ok := b.Arguments[1].(*ast.PredicateNode); ok {
			return p.Node
		}
	}
	t.add(0, len(t.source), "cannot read this expression", "its brackets close something that they did not open")
	return nil
}

// syntax lets the parser take every function for one of ours. It is only read.
var syntax = func() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = MaxSource
	return c
}()

// Location of a syntax tree's node in runes of the source.
func location(n ast.Node) (from, to int) {
	l := n.Location()
	return l.From - len(before), l.To - len(before)
}

var tokenValue = regexp.MustCompile(`\("(.*)"\)$`)

// syntaxError says in our words what the parser stumbled over.
func (t *text) syntaxError(e *file.Error) {
	r := e.From - len(before)
	if r >= len(t.offsets)-1 {
		end := len(strings.TrimRight(t.source, " \t\r\n"))
		t.add(end, end, "the expression ends too early", "something is missing here")
		return
	}
	from, to := t.byte(r), t.byte(e.To-len(before))
	i, known := t.at[r]
	switch {
	case strings.HasPrefix(e.Message, "a map key must be"):
		t.add(from, to, "a closure in braces here", "braces hold a closure only as the second argument of "+braced).try("all(x, {let p = it; …})")
	case strings.HasPrefix(e.Message, "expected at least"):
		t.add(from, to, "too few arguments", "a closure is missing here").try("all(x, .duration < 200ms)")
	case !strings.HasPrefix(e.Message, "unexpected token") || !known:
		t.add(from, to, "cannot read this expression", "%s", sentence(e.Message))
	case t.tokens[i].Value == "=":
		t.add(from, to, "unexpected =", "a comparison is written with ==").try("==")
	case t.tokens[i].Value == "&" || t.tokens[i].Value == "|":
		t.add(from, to, "unexpected "+t.tokens[i].Value, "conditions are joined by words").try("and", "or")
	case t.tokens[i].Value == "{":
		t.add(from, to, "unexpected {", "braces hold a closure, and only as the second argument of "+braced).try("all(x, {let p = it; …})")
	case i > 0 && isUnit(t.tokens[i]) && t.tokens[i-1].Kind == lexer.Number:
		t.add(t.byte(t.tokens[i-1].From), to, "a duration has no space in it", "").try(t.tokens[i-1].Value + t.tokens[i].Value)
	default:
		what := unhide(t.hiddenToken(t.tokens[i]))
		t.add(from, to, "unexpected "+what, "an operator, a comma or a bracket is missing before this, or this is one too many")
	}
}

// braced are the functions whose closure the parser accepts in braces.
const braced = "any, all, none, one, count, filter, map, find, groupBy, sortBy or sum"

func (t *text) hiddenToken(token lexer.Token) string {
	return t.source[t.byte(token.From):t.byte(token.To)]
}

func isUnit(t lexer.Token) bool {
	switch t.Value {
	case "ns", "us", "µs", "ms", "s", "m", "h":
		return true
	}
	return false
}

// sentence takes the parser's names of tokens out of its message.
func sentence(message string) string {
	message = strings.ReplaceAll(tokenValue.ReplaceAllString(message, " $1"), "token ", "")
	return unhide(strings.ReplaceAll(message, "Operator (", "("))
}
