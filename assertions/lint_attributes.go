package assertions

import (
	"cmp"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/trace"
)

// attribute notes an attribute that semantic conventions renamed, where it occurs first.
func (l *linter) attribute(w written, e *lang.Expr) {
	key := e.Key()
	if len(trace.Aliases(key)) < 2 {
		return
	}
	at := w.at(e)
	if strings.HasSuffix(e.Text(), key) {
		at = w.source.At(e.To-len(key), e.To)
	}
	if first, seen := l.renamed[key]; !seen || at.Start < first.Start {
		l.renamed[key] = at
	}
}

// renamedAttributes says under which other names the attributes of the file are found.
func (l *linter) renamedAttributes() {
	var marks []diag.Mark
	for key, at := range l.renamed {
		marks = append(marks, diag.Mark{Range: at, Label: "or " + enumerate(trace.Aliases(key)[1:], "or")})
	}
	if len(marks) == 0 {
		return
	}
	slices.SortFunc(marks, func(a, b diag.Mark) int { return cmp.Compare(a.Range.Start, b.Range.Start) })
	l.found = append(l.found, diag.Diagnostic{Severity: diag.Note, What: "attributes that are found under another name too",
		Range: marks[0].Range, Label: marks[0].Label, Also: marks[1:], Notes: []string{"Semantic conventions renamed them. Each name finds the other."}})
}
