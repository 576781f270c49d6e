package lang

import (
	"slices"
	"time"

	"github.com/followspan/followspan/trace"
)

// field is something that a span has under a single word.
type field struct {
	Name string
	Type Type
	Doc  string
	// get reads the field of one span.
	get func(f *Frame, n trace.Node) Value
	// edges: it depends on spans other than this one.
	edges bool
	// values are all that the field may be, if these are few.
	values []string
}

var (
	kindWords   = []string{"unspecified", "internal", "server", "client", "producer", "consumer"}
	statusWords = []string{"unset", "ok", "error"}
)

// The strings of kinds and statuses are made once, so that reading one does not allocate.
var spanFields = []*field{
	{Name: "service", Type: typ(TString), Doc: "service.name of the resource", get: func(f *Frame, n trace.Node) Value { return present(f.span(n).Service()) }},
	{Name: "name", Type: typ(TString), Doc: "the span's name", get: func(f *Frame, n trace.Node) Value { return stringValue(f.span(n).Name()) }},
	{Name: "kind", Type: typ(TString), Doc: "server, client, producer, consumer, internal or unspecified", values: kindWords, get: func(f *Frame, n trace.Node) Value { return stringValue(f.span(n).Kind().String()) }},
	{Name: "status", Type: typ(TString), Doc: "unset, ok or error", values: statusWords, get: func(f *Frame, n trace.Node) Value { return stringValue(f.span(n).Status().String()) }},
	{Name: "statusMessage", Type: typ(TString), Doc: "what the span says about its status", get: func(f *Frame, n trace.Node) Value { return present(f.span(n).StatusMessage()) }},
	{Name: "start", Type: typ(TTime), Doc: "when it started, as its service's clock said", get: func(f *Frame, n trace.Node) Value { return known(f.span(n).Start()) }},
	{Name: "end", Type: typ(TTime), Doc: "when it ended, as its service's clock said", get: func(f *Frame, n trace.Node) Value { return known(f.span(n).End()) }},
	{Name: "duration", Type: typ(TDuration), Doc: "end less start, missing if that is negative", get: func(f *Frame, n trace.Node) Value { return took(f.span(n)) }},
	{Name: "traceID", Type: typ(TString), Doc: "the trace id in hex", get: func(f *Frame, n trace.Node) Value { return stringValue(f.span(n).TraceID().String()) }},
	{Name: "spanID", Type: typ(TString), Doc: "the span id in hex", get: func(f *Frame, n trace.Node) Value { return stringValue(f.span(n).ID().String()) }},
	{Name: "selfTime", Type: typ(TDuration), Doc: "the part of its duration in which no child ran", edges: true, get: getSelfTime},
	{Name: "maxGap", Type: typ(TDuration), Doc: "the longest stretch in which no child ran", edges: true, get: getMaxGap},
	{Name: "parent", Type: typ(TSpan), Doc: "the span that it names as its parent", edges: true, get: getParent},
	{Name: "caller", Type: typ(TSpan), Doc: "the nearest ancestor in another service", edges: true, get: getCaller},
	{Name: "root", Type: typ(TSpan), Doc: "the span without a parent above it, else the first of its trace", edges: true, get: getRoot},
	{Name: "children", Type: typ(TSet), Doc: "the spans that name it as their parent", edges: true, get: getChildren},
	{Name: "ancestors", Type: typ(TSet), Doc: "its parent, the parent's parent, and so on", edges: true, get: getAncestors},
	{Name: "descendants", Type: typ(TSet), Doc: "its children, their children, and so on", edges: true, get: getDescendants},
	{Name: "trace", Type: typ(TSet), Doc: "all spans of its trace", edges: true, get: getTrace},
	{Name: "linkedBy", Type: typ(TSet), Doc: "the spans that link to it", edges: true, get: getLinkedBy},
	{Name: "isRoot", Type: typ(TBool), Doc: "it names no parent, or one outside of what is observed", edges: true, get: getIsRoot},
	{Name: "isOrphan", Type: typ(TBool), Doc: "it names a parent that has not arrived", edges: true, get: getIsOrphan},
	{Name: "copies", Type: typ(TNumber), Doc: "how often it was received", get: getCopies},
	{Name: "events", Type: listOf(typ(TEvent)), Doc: "its events, each with name, time and attrs", get: getEvents},
	{Name: "links", Type: listOf(typ(TLink)), Doc: "its links, each with traceID, spanID, attrs and span", edges: true, get: getLinks},
	{Name: "attrs", Type: typ(TMap), Doc: "its attributes; attrs.amount is the one whose key is a single word", get: getAttrs},
	{Name: "resource", Type: typ(TMap), Doc: "attributes of the resource: resource.host.id", get: getResource},
	{Name: "scope", Type: typ(TMap), Doc: "name, version and attributes of the instrumentation", get: getScope},
}

var fieldByName = func() map[string]*field {
	m := map[string]*field{}
	for _, f := range spanFields {
		m[f.Name] = f
	}
	return m
}()

// known is a time, missing if it is zero: then the span does not say it.
func known(t trace.Time) Value {
	if t == 0 {
		return missing
	}
	return timeValue(t)
}

// took is the duration of a span, missing unless it says both of its times, and these
// in their order.
func took(s trace.Span) Value {
	if s.Start() == 0 || s.End() == 0 || s.End() < s.Start() {
		return missing
	}
	return durationValue(s.Duration())
}

func present(s string) Value {
	if s == "" {
		return missing
	}
	return stringValue(s)
}

func getCopies(f *Frame, n trace.Node) Value {
	if n == trace.None {
		return intValue(1)
	}
	v := intValue(int64(f.View.Copies(n)))
	if f.Open {
		v.motion, v.ref = Rising, arriving
	}
	return v
}

func getEvents(f *Frame, n trace.Node) Value {
	var out []Value
	for e := range f.span(n).Events() {
		out = append(out, Value{kind: Event, ref: e})
	}
	return listValue(out, nil)
}

// linkRef is a link with the span that it belongs to.
type linkRef struct {
	of   trace.Node
	link trace.Link
}

func getLinks(f *Frame, n trace.Node) Value {
	var out []Value
	for l := range f.span(n).Links() {
		out = append(out, Value{kind: Link, ref: linkRef{n, l}})
	}
	return listValue(out, nil)
}

// ByStart sorts nodes by start; what started together is sorted by identity, so
// that the order does not depend on the order of arrival.
func (f *Frame) ByStart(nodes []trace.Node) []trace.Node {
	f.step(len(nodes))
	less := func(a, b trace.Node) int { return compareSpans(f.span(a), f.span(b)) }
	if slices.IsSortedFunc(nodes, less) {
		return nodes
	}
	sorted := slices.Clone(nodes)
	slices.SortFunc(sorted, less)
	return sorted
}

func compareSpans(a, b trace.Span) int { return a.Compare(b) }

// uncovered walks over the stretches of a span in which none of its children ran. Of a
// child without a duration nothing is known.
func (f *Frame) uncovered(n trace.Node, stretch func(time.Duration)) {
	children := f.ByStart(slices.Collect(f.childrenOf(n)))
	at, end := f.span(n).Start(), f.span(n).End()
	for _, c := range children {
		s := f.span(c)
		if took(s) == missing {
			continue
		}
		if from := min(s.Start(), end); from > at {
			stretch(from.Sub(at))
		}
		at = max(at, s.End())
	}
	if end > at {
		stretch(end.Sub(at))
	}
}
