package lang

import (
	"regexp"
	"testing"
)

// A pattern that is but a text finds what the regular expression finds.
func TestPlainPatterns(t *testing.T) {
	texts := []string{"", "op-1", "op-12", "no op-1", "op-1\n", "OP-1", "op.1", "opx1", "\xff", "\uFFFD", "ä", "xä"}
	tests := []struct {
		source string
		plain  bool
	}{
		{"^op-1", true}, {"op-1$", true}, {"^op-1$", true}, {"op-1", true}, {`^op\.1$`, true}, {`\Aop-1\z`, true}, {"ä$", true}, {"(?:op)-1", true},
		{"(?i)^op-1", false}, {"(?m)^op-1$", false}, {"^op.1", false}, {"^(op|no)", false}, {"", false}, {"^", false}, {"^$", false}, {"\uFFFD", false}, {"(op-1)", false},
	}
	for _, test := range tests {
		p, err := compilePattern(test.source)
		if err != nil {
			t.Fatal(err)
		}
		if (p.is != nil) != test.plain {
			t.Errorf("%s: plain is %t", test.source, p.is != nil)
		}
		for _, text := range texts {
			if got, want := p.matches(text), regexp.MustCompile(test.source).MatchString(text); got != want {
				t.Errorf("%q matches %q: %t, want %t", text, test.source, got, want)
			}
		}
	}
}
