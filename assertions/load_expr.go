package assertions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// maxExpr is the size beyond which the expression layer refuses an expression, so that nothing is put into it.
const maxExpr = 16 << 10

// expr reads an expression. The example is one for this place.
func (l *loader) expr(into *Expr, example string) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		if e, ok := l.exprOf(p.Value, p.Key.Value+": "+example); ok {
			*into = e
		}
	}
}

func (l *loader) exprOf(n *yamlfile.Node, example string) (Expr, bool) {
	if n.Kind != yamlfile.Scalar || n.IsNull() {
		return Expr{}, l.wrong(n, "an expression", "an expression must stand here", example)
	}
	if strings.TrimSpace(n.Value) == "" {
		l.report(diag.Diagnostic{What: "an empty expression", Range: n.Range, Label: "nothing stands here", Try: []string{example}})
		return Expr{}, false
	}
	if l.cutOff(n) {
		return Expr{}, false
	}
	before := len(l.problems)
	if len(n.Value) <= maxExpr {
		n = l.substituteStrings(n)
	}
	return Expr{Text: n.Value, node: n}, len(l.problems) == before
}

// cutOff reports an expression that YAML ended in its middle, at " #" or, inside brackets, at a comma.
func (l *loader) cutOff(n *yamlfile.Node) bool {
	if !looksCut(n.Value) {
		return false
	}
	left := []diag.Mark{{Range: n.Range, Label: "this is left of it, and it is incomplete"}}
	if comment, ok := n.Cut(); ok {
		l.report(diag.Diagnostic{What: `YAML takes " #" for the start of a comment`, Range: comment, Label: "the expression ends before this", Also: left,
			Try: []string{"put the expression in a | block", "write it rather than # for the element"}})
		return true
	}
	comma, ok := n.Comma()
	if ok {
		l.report(diag.Diagnostic{What: `inside { } and [ ] YAML takes "," for the end of a value`, Range: comma, Label: "the expression ends before this", Also: left,
			Try: []string{"put the expression in quotes", "write it on a line of its own, without braces or brackets around it"}})
	}
	return ok
}

// looksCut reports whether an expression cannot end here: inside a string or brackets, or behind an operator.
func looksCut(text string) bool {
	depth, quote := scanStrings(text, len(text))
	text = strings.TrimSpace(text)
	return depth > 0 || quote != 0 || text != "" && endsOpen(text)
}

// scanStrings returns how many brackets are open at the offset, and the quote of the string that it is in, or 0.
func scanStrings(text string, offset int) (depth int, quote byte) {
	for i := 0; i < offset; i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		}
	}
	return depth, quote
}

func endsOpen(text string) bool {
	word := text[strings.LastIndexAny(text, " \t\n(")+1:]
	switch word {
	case "and", "or", "not", "in", "matches", "contains", "startsWith", "endsWith":
		return true
	}
	return strings.IndexByte("=<>+-*/%&|,?:", text[len(text)-1]) >= 0
}

// substituteStrings puts params and environment into the string literals of an expression. Elsewhere in it a param
// is a name.
func (l *loader) substituteStrings(n *yamlfile.Node) *yamlfile.Node {
	var edits []yamlfile.Edit
	for _, r := range l.references(n) {
		_, quote := scanStrings(n.Value, r.start)
		if quote == 0 {
			l.bareReference(n, r)
			continue
		}
		text, ok := l.known(n, r)
		if !ok {
			continue
		}
		if quote == '`' && strings.Contains(text, "`") {
			l.report(diag.Diagnostic{What: "a backtick in a string between backticks", Range: n.At(r.start, r.end), Label: "the value of " + r.name + " holds one", Try: []string{"use double quotes"}})
			continue
		}
		if quote != '`' {
			text = escapeFor(text, quote)
		}
		edits = append(edits, yamlfile.Edit{Start: r.start, End: r.end, Text: text})
	}
	return n.Substitute(edits)
}

func (l *loader) bareReference(n *yamlfile.Node, r reference) {
	d := diag.Diagnostic{What: "a param in an expression is a name", Range: n.At(r.start, r.end), Label: "${} belongs into strings", Try: []string{r.name}}
	if _, declared := l.params[r.name]; !declared && !r.literal {
		d.Try = []string{fmt.Sprintf("declare it, params: {%s: \"${%s:-default}\"}, and write %s here", r.name, r.name, r.name)}
	}
	l.report(d)
}

// escapeFor writes text so that it means itself inside a string literal.
func escapeFor(text string, quote byte) string {
	quoted := strconv.Quote(text)
	quoted = quoted[1 : len(quoted)-1]
	if quote == '\'' {
		quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\"`, `"`), "'", `\'`)
	}
	return quoted
}

// splitExpression reports a key that is the first half of an expression, which YAML divided at ": ".
func (l *loader) splitExpression(p yamlfile.Pair) bool {
	key := p.Key
	if key.Style != yamlfile.Plain || !looksLikeExpression(key.Value) {
		return false
	}
	colon := key.Range.Source.Range(key.Range.End, key.Range.End+1)
	d := diag.Diagnostic{What: `YAML takes ": " for the end of a key`, Range: colon, Label: "this divides the expression", Try: []string{"put the expression in a | block"}}
	if strings.Contains(key.Value, " ? ") {
		d.What = `YAML takes the ": " of "a ? b : c" for the end of a key`
	}
	if p.Value.Kind == yamlfile.Scalar && !strings.Contains(p.Value.Value, "\n") {
		d.Try = []string{"|\n  " + key.Value + " : " + p.Value.Value}
	}
	l.report(d)
	return true
}

// looksLikeExpression reports whether text holds what keys do not and expressions do.
func looksLikeExpression(text string) bool {
	for _, sign := range []string{" ? ", "(", "==", "!=", "<", ">", " and ", " or ", "not ", " in ", " matches ", " contains "} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
