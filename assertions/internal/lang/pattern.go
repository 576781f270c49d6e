package lang

import (
	"regexp"
	resyntax "regexp/syntax"
	"strings"
)

// pattern is a regular expression. Many are but a text that is to stand at the
// start, at the end or anywhere: these need no automaton.
type pattern struct {
	*regexp.Regexp
	text string
	is   func(s, text string) bool // nil if the expression is more than a text
}

func compilePattern(source string) (*pattern, error) {
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: re}
	if tree, err := resyntax.Parse(source, resyntax.Perl); err == nil {
		p.text, p.is = plain(tree.Simplify())
	}
	return p, nil
}

func (p *pattern) matches(s string) bool {
	if p.is != nil {
		return p.is(s, p.text)
	}
	return p.MatchString(s)
}

// plain recognises ^text, text$, ^text$ and text.
func plain(tree *resyntax.Regexp) (text string, is func(s, text string) bool) {
	parts := []*resyntax.Regexp{tree}
	if tree.Op == resyntax.OpConcat {
		parts = tree.Sub
	}
	begins := parts[0].Op == resyntax.OpBeginText
	if begins {
		parts = parts[1:]
	}
	ends := len(parts) > 0 && parts[len(parts)-1].Op == resyntax.OpEndText
	if ends {
		parts = parts[:len(parts)-1]
	}
	if len(parts) != 1 || parts[0].Op != resyntax.OpLiteral || parts[0].Flags&resyntax.FoldCase != 0 {
		return "", nil
	}
	text = string(parts[0].Rune)
	switch {
	case strings.ContainsRune(text, '\uFFFD'): // which matches bytes that are no UTF-8, too
		return "", nil
	case begins && ends:
		return text, func(s, text string) bool { return s == text }
	case begins:
		return text, strings.HasPrefix
	case ends:
		return text, strings.HasSuffix
	}
	return text, strings.Contains
}
