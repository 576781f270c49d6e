package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
)

// opposites are the operators that say the contrary, as far as both values are there.
var opposites = map[string]string{"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

// negation warns about not (a == b), which holds for what is missing too.
func (l *linter) negation(w written, e *lang.Expr) {
	c := e.Args[0]
	if c.Op != lang.OpCompare {
		return
	}
	simpler := opposed(w.source.Text, c)
	label := fmt.Sprintf("this holds too where a value is missing; with %s it does not", opposites[c.Operator])
	if c.Args[1].Type.Base == lang.TNil || neverMissing(c.Args[0]) && neverMissing(c.Args[1]) {
		label = opposites[c.Operator] + " says the same"
	}
	l.warn(w.at(e), "not around a comparison", label, simpler)
}

// neverMissing reports whether e has a value whatever the spans are.
func neverMissing(e *lang.Expr) bool {
	switch e.Op {
	case lang.OpLiteral, lang.OpParam:
		return true
	case lang.OpField:
		return e.Args[0].Op == lang.OpElement && slices.Contains([]string{"name", "kind", "status", "start", "end", "duration", "copies"}, e.Operator)
	case lang.OpCall:
		return e.Word.Name == "count" || e.Word.Name == "len"
	}
	return false
}

// opposed is the comparison with the opposite operator, as it would be written.
func opposed(source string, c *lang.Expr) string {
	left, right := c.Args[0], c.Args[1]
	if left.From > right.From {
		left, right = right, left
	}
	between := strings.Replace(source[left.To:right.From], c.Operator, opposites[c.Operator], 1)
	return source[c.From:left.To] + between + source[right.From:c.To]
}

// impossible warns about an assertion that wants a set to be empty and something of its spans.
func (l *linter) impossible(k *check) {
	if k.source.IsZero() || k.assertion.Kind != KindExpect {
		return
	}
	conditions := k.that.Conjuncts()
	if k.when != nil {
		conditions = append(k.when.Conjuncts(), conditions...)
	}
	empty := map[int]*lang.Expr{}
	for _, c := range conditions {
		if set, ok := claims(c, "empty"); ok {
			empty[set] = c
		}
	}
	for _, c := range k.that.Conjuncts() {
		for _, word := range []string{"all", "any", "one", "exists"} {
			set, ok := claims(c, word)
			if e := empty[set]; ok && e != nil {
				label := fmt.Sprintf("with %s this is false", e.Text())
				if word == "all" {
					label += ": all() over nothing proves nothing"
				}
				l.warn(k.source.At(c.From, c.To), "this can never hold", label, e.Text()+" or "+c.Text())
			}
		}
	}
}

// claims reports whether a condition is the word about a declared set, and which one that is.
func claims(c *lang.Expr, word string) (set int, ok bool) {
	if c.Op != lang.OpCall || c.Word.Name != word {
		return 0, false
	}
	return c.Args[0].Set()
}
