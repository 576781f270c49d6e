package assertions

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// scalar returns the value of a scalar with params and environment in it. It reports any other kind of node.
func (l *loader) scalar(n *yamlfile.Node, want, example string) (*yamlfile.Node, bool) {
	if n.Kind != yamlfile.Scalar || n.IsNull() {
		return n, l.wrong(n, want, "this must be "+want, example)
	}
	before := len(l.problems)
	n = l.substitute(n)
	return n, len(l.problems) == before
}

// text reads a string for people, such as a description.
func (l *loader) text(into *string, example string) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		if n, ok := l.scalar(p.Value, "text", p.Key.Value+": "+example); ok {
			*into = strings.TrimSpace(n.Value)
		}
	}
}

// duration reads a time. A time of 0 is refused unless zero is allowed.
func (l *loader) duration(into *time.Duration, allow zero) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		example := p.Key.Value + ": 5s"
		n, ok := l.scalar(p.Value, "a duration", example)
		if !ok {
			return
		}
		d, hint, ok := parseDuration(n.Value)
		switch {
		case !ok:
			l.report(diag.Diagnostic{What: p.Key.Value + " needs a time", Range: n.Range, Label: durationLabel(n.Value), Try: []string{hint}})
		case d == 0 && allow == noZero:
			l.report(diag.Diagnostic{What: p.Key.Value + " cannot be zero", Range: n.Range, Label: "a time above 0 must stand here"})
		default:
			*into = d
		}
	}
}

// zero says whether a time may be 0.
type zero uint8

const (
	noZero zero = iota
	zeroAllowed
)

// number reads a whole number from low to high.
func (l *loader) number(into *int, low, high int) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		n, ok := l.scalar(p.Value, "a number", fmt.Sprintf("%s: %d", p.Key.Value, max(low, 3)))
		if !ok {
			return
		}
		value, err := strconv.Atoi(n.Value)
		if err != nil || value < low || value > high {
			l.report(diag.Diagnostic{What: p.Key.Value + " needs a whole number", Range: n.Range, Label: fmt.Sprintf("it must be from %d to %d", low, high)})
			return
		}
		*into = value
	}
}

// choice reads one of a few words.
func choice[T any](l *loader, into *T, words []string, values []T) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		list := strings.Join(words, ", ")
		n, ok := l.scalar(p.Value, "one of "+list, p.Key.Value+": "+words[0])
		if !ok {
			return
		}
		for i, word := range words {
			if n.Value == word {
				*into = values[i]
				return
			}
		}
		d := diag.Diagnostic{What: fmt.Sprintf("unknown %s", p.Key.Value), Range: n.Range, Label: "it is one of " + list}
		if near, ok := diag.Suggest(n.Value, words); ok {
			d.Try = []string{near}
		}
		l.report(d)
	}
}

// names reads a list of strings. A single string is a list of one.
func (l *loader) names(into *[]string, example string) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		nodes := []*yamlfile.Node{p.Value}
		if p.Value.Kind != yamlfile.Scalar {
			nodes = l.items(p.Value, "names", example)
		}
		*into = nil
		for _, n := range nodes {
			if n, ok := l.scalar(n, "a name", example); ok {
				*into = append(*into, n.Value)
			}
		}
	}
}

// count reads how often something happens.
func (l *loader) count(into *Count) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		n, ok := l.scalar(p.Value, "a count", p.Key.Value+": exactly 1")
		if !ok {
			return
		}
		if n.Value == "any" {
			*into = Count{Min: 0, Max: -1, Range: n.Range}
			return
		}
		c, hint := parseCount(n.Value)
		if hint != "" {
			l.report(diag.Diagnostic{What: p.Key.Value + " needs a count", Range: n.Range, Label: "a count is any, exactly N, at least N or at most N", Try: []string{hint}})
			return
		}
		c.Range = n.Range
		*into = c
	}
}

// templates reads a string that a program or a server gets to see. Captured names stay open if late is set.
func (l *loader) templateField(into *Template, late bool, example string) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		if t, ok := l.templateOf(p.Value, late, "text", p.Key.Value+": "+example); ok {
			*into = t
		}
	}
}

func (l *loader) templateOf(n *yamlfile.Node, late bool, want, example string) (Template, bool) {
	if n.Kind != yamlfile.Scalar || n.IsNull() {
		return Template{}, l.wrong(n, want, "this must be "+want, example)
	}
	return l.template(n, late), true
}

// variables reads a mapping of names to strings.
func (l *loader) variables(into *[]Variable, late bool, example string) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		if p.Value.Kind != yamlfile.Mapping {
			l.wrong(p.Value, "a mapping", p.Key.Value+" holds names with their values", example)
			return
		}
		for _, v := range p.Value.Pairs {
			if v.Value.IsNull() {
				l.report(diag.Diagnostic{What: "a name without a value", Range: v.Key.Range, Label: "nothing stands here", Try: []string{v.Key.Value + `: "" for an empty string`}})
				continue
			}
			if t, ok := l.templateOf(v.Value, late, "text", example); ok {
				*into = append(*into, Variable{v.Key.Value, t})
			}
		}
	}
}
