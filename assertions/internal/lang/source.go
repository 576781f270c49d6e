package lang

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Limits of a source, checked before it is parsed.
const (
	MaxSource  = 16 << 10 // bytes
	MaxNesting = 100      // brackets within brackets, or signs before signs
)

// text is a source with its tokens. The parser counts runes, everybody else bytes.
type text struct {
	source  string
	hidden  string // with its durations made identifiers; as many runes, not as many bytes
	offsets []int  // byte offset in source of each rune, and of the end
	tokens  []lexer.Token
	partner []int       // of a bracket token: the token of its other half
	at      map[int]int // rune offset at which a token starts → its number
	problems
}

// read checks the limits of a source and splits it into tokens. It is nil if the
// source cannot be parsed.
func (p *problems) read(source string) *text {
	t := &text{source: source}
	defer func() { p.found = append(p.found, t.found...) }()
	switch {
	case len(source) > MaxSource:
		t.add(0, len(source), "expression too long", "%d bytes, and an expression may have %d", len(source), MaxSource)
		return nil
	case !utf8.ValidString(source):
		t.add(0, len(source), "expression is not UTF-8", "")
		return nil
	case strings.TrimSpace(source) == "":
		t.add(0, len(source), "expression is empty", "")
		return nil
	}
	for i := range source {
		t.offsets = append(t.offsets, i)
	}
	t.offsets = append(t.offsets, len(source))
	t.hidden = hideDurations(source)
	if !t.lex() || !t.match() {
		return nil
	}
	return t
}

// byte converts a rune offset to a byte offset.
func (t *text) byte(r int) int { return t.offsets[min(max(r, 0), len(t.offsets)-1)] }

func (t *text) lex() bool {
	tokens, err := lexer.Lex(file.NewSource(t.hidden))
	var e *file.Error
	if errors.As(err, &e) {
		t.lexError(e)
		return false
	}
	t.tokens = tokens[:len(tokens)-1] // without EOF
	t.at = make(map[int]int, len(tokens))
	for i, token := range t.tokens {
		t.at[token.From] = i
	}
	if len(t.tokens) == 0 {
		t.add(0, len(t.source), "expression is empty", "it is only a comment")
		return false
	}
	return true
}

// lexError says in our words what the lexer could not read.
func (t *text) lexError(e *file.Error) {
	from, to := t.byte(e.From), t.byte(e.To)
	switch {
	case strings.HasPrefix(e.Message, "literal not terminated"):
		t.add(from, to, "string without an end", "no closing quote")
	case strings.HasPrefix(e.Message, "invalid char escape") || strings.Contains(e.Message, "invalid syntax") || strings.Contains(e.Message, "escape"):
		t.add(from, to, "unknown escape in a string", `only \\ \" \' \n \t \r \x41 \u0041 and the like`).try("double the backslash: \\\\", "put the string between backticks, where a backslash is a backslash")
	case strings.HasPrefix(e.Message, "bad number"):
		for from > 0 && isWord(t.source[from-1]) {
			from--
		}
		for to < len(t.source) && isWord(t.source[to]) {
			to++
		}
		t.add(from, to, "not a number", "%q is neither a number nor a duration", t.source[from:to]).try("durations end in ns, us, ms, s, m or h: 500ms, 1.5s, 1m30s")
	case strings.HasPrefix(e.Message, "unrecognized character"):
		t.add(from, to, "unexpected character", "%q means nothing here", t.source[from:to])
	default:
		t.add(from, to, "cannot read this", "%s", e.Message)
	}
}

var closing = map[string]string{"(": ")", "[": "]", "{": "}"}

// match pairs the brackets and measures their depth, so that the parser never
// sees a source that could exhaust it.
func (t *text) match() bool {
	t.partner = make([]int, len(t.tokens))
	var open []int
	signs := 0
	for i, token := range t.tokens {
		t.partner[i] = -1
		signs++
		if !isPrefix(token) {
			signs = 0
		}
		if len(open)+signs > MaxNesting {
			t.add(t.byte(token.From), t.byte(token.To), "expression nested too deep", "deeper than %d", MaxNesting)
			return false
		}
		if token.Kind != lexer.Bracket {
			continue
		}
		if closing[token.Value] != "" {
			open = append(open, i)
			continue
		}
		if len(open) == 0 {
			t.add(t.byte(token.From), t.byte(token.To), "unexpected "+token.Value, "no bracket is open here")
			return false
		}
		last := open[len(open)-1]
		if want := closing[t.tokens[last].Value]; want != token.Value {
			t.add(t.byte(token.From), t.byte(token.To), "unexpected "+token.Value, "the %s at column %d wants %s", t.tokens[last].Value, t.tokens[last].From+1, want)
			return false
		}
		open = open[:len(open)-1]
		t.partner[last], t.partner[i] = i, last
	}
	if len(open) > 0 {
		token := t.tokens[open[len(open)-1]]
		t.add(t.byte(token.From), t.byte(token.To), "bracket without an end", "no %s for this", closing[token.Value])
		return false
	}
	return true
}

// isPrefix reports whether the parser calls itself for what follows the token
// without a bracket in between.
func isPrefix(t lexer.Token) bool {
	switch t.Value {
	case "not", "!", "-", "+", "let", "if", "else", "**", "^":
		return t.Kind == lexer.Operator
	}
	return false
}
