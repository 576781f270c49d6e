package assertions

import (
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// Template is a string of the flow file. Params and environment are already in it; what is still open are the names that
// system.ready.output captures, which may occur in a trigger only.
type Template struct {
	Range diag.Range
	parts []templatePart
}

// templatePart is literal text, or a name to be filled in.
type templatePart struct {
	text string
	name string
	at   diag.Range
}

// IsZero reports whether the string was not given.
func (t Template) IsZero() bool { return t.Range.IsZero() }

// Expand returns the string with the captured names filled in. A name that was not captured stays as it is written;
// [CheckRun] says beforehand whether that can happen.
func (t Template) Expand(captured map[string]string) string {
	var b strings.Builder
	for _, p := range t.parts {
		value, ok := captured[p.name]
		switch {
		case p.name == "":
			b.WriteString(p.text)
		case ok:
			b.WriteString(value)
		default:
			b.WriteString("${" + p.name + "}")
		}
	}
	return b.String()
}

// String returns the string with the open names as they are written.
func (t Template) String() string { return t.Expand(nil) }

// open returns the parts that are still to be filled in.
func (t Template) open() []templatePart {
	var open []templatePart
	for _, p := range t.parts {
		if p.name != "" {
			open = append(open, p)
		}
	}
	return open
}
