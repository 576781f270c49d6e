// Package diag holds what followspan says to people about their files.
//
// A [Diagnostic] is data until the last moment: what is wrong, where, why just there, what to try.
// [Style.Render] turns it into text with the line of the file and carets. [Style.Snippet] and [Style.Values] draw the same
// lines for reports. The package reads no files, uses the standard library only and starts no goroutines.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says how much a diagnostic matters.
type Severity int

// The severities. The zero value is not one of them.
const (
	Unknown Severity = iota
	Error
	Warning
	Note
)

// String returns the word that starts the diagnostic.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Note:
		return "note"
	}
	return "unknown"
}

// Diagnostic is one message to a person.
type Diagnostic struct {
	Severity Severity
	// What is one general line: "unknown field on span".
	What string
	// Range is where. It may be zero, or the whole source.
	Range Range
	// Label stands beside the carets and says why here, with actual values: `spans have no field "duraton"`.
	Label string
	// Also are other places that have to do with it.
	Also []Mark
	// Notes say what else is worth knowing, one full sentence each.
	Notes []string
	// Try are replacements or steps that would help, best first.
	Try []string
}

// Mark is a range with something to say beside it. The label may be empty.
type Mark struct {
	Range Range
	Label string
}

// List is the diagnostics of one piece of work.
type List []Diagnostic

// HasErrors reports whether some diagnostic of the list is an [Error].
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns a new list in order of source name and position, each message once.
// Diagnostics without a source come first, then those about a whole source; those of one place keep their order.
func (l List) Sorted() List {
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(sourceName(a), sourceName(b)), cmp.Compare(a.Range.Start, b.Range.Start))
	})
	type message struct {
		severity    Severity
		what, label string
		where       Range
	}
	seen := make(map[message]bool, len(sorted))
	return slices.DeleteFunc(sorted, func(d Diagnostic) bool {
		m := message{d.Severity, d.What, d.Label, d.Range}
		again := seen[m]
		seen[m] = true
		return again
	})
}

// Limit returns the first n diagnostics and, if there are more, a note that says how many were left out.
func (l List) Limit(n int) List {
	if len(l) <= n {
		return l
	}
	return append(slices.Clone(l[:n]), Diagnostic{Severity: Note, What: fmt.Sprintf("%d more problems are not shown", len(l)-n), Range: l[n].Range.Source.orNowhere()})
}

// orNowhere is the range of the whole source, or the zero Range if there is none.
func (s *Source) orNowhere() Range {
	if s == nil {
		return Range{}
	}
	return s.Whole()
}

func sourceName(d Diagnostic) string {
	if d.Range.Source == nil {
		return ""
	}
	return d.Range.Source.name
}
