package lang

import "testing"

func TestOneLine(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{" a\n  and\tb ", "a and b"},
		{`name == "a  b"  and x`, `name == "a  b" and x`},
		{"a // first\nand b /* last\n */", "a and b"},
		{"a / b", "a / b"},
		{`url == "http://x" // y`, `url == "http://x"`},
		{"// nothing", ""},
		{"'it\\'s  '  ", "'it\\'s  '"},
	} {
		if got := OneLine(c.source); got != c.want {
			t.Errorf("OneLine(%q) = %q, want %q", c.source, got, c.want)
		}
	}
}
