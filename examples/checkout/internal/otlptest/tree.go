package otlptest

import (
	"fmt"
	"slices"
	"strings"
)

// Tree returns one line for each span, indented under its parent and in order of
// start, with its service, name and kind, and the names of the spans it links to.
// Roots stand in order of start too, whichever trace they belong to.
func (s Spans) Tree() string {
	byStart := slices.SortedFunc(slices.Values(s), func(a, b Span) int { return a.Start.Compare(b.Start) })
	t := tree{names: map[string]string{}, children: map[string]Spans{}}
	for _, span := range byStart {
		t.names[span.SpanID] = span.Name
		t.children[span.ParentID] = append(t.children[span.ParentID], span)
	}
	t.write("", "")
	return t.text.String()
}

type tree struct {
	names    map[string]string
	children map[string]Spans
	text     strings.Builder
}

func (t *tree) write(parent, indent string) {
	for _, span := range t.children[parent] {
		kind := strings.ToLower(strings.TrimPrefix(span.Kind.String(), "SPAN_KIND_"))
		fmt.Fprintf(&t.text, "%s%s %s %s", indent, span.Service, kind, span.Name)
		for _, link := range span.Links {
			fmt.Fprintf(&t.text, " (links to %s)", t.names[link])
		}
		t.text.WriteString("\n")
		t.write(span.SpanID, indent+"  ")
	}
}
