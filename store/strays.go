package store

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/followspan/followspan/trace"
)

// strays are spans that no flow has caused, as far as is known, in the order of
// their starts: they belong to none, or came before its origin, or their context was
// lost. Some may have joined a flow since.
type strays struct {
	all   []stray
	limit int // at which those are sorted out
}

// stray is one of them. Its start is still needed when the span was evicted.
type stray struct {
	start trace.Time
	node  trace.Node
}

// fewStrays are not worth to be sorted out.
const fewStrays = 64

func (l *strays) add(v trace.View, n trace.Node, start trace.Time) {
	if len(l.all) >= l.limit {
		l.all = slices.DeleteFunc(l.all, func(s stray) bool { return joined(v, s.node) })
		l.limit = max(fewStrays, 2*len(l.all))
	}
	l.all = slices.Insert(l.all, l.from(start+1), stray{start, n})
}

// joined reports whether a span that was a stray is one no more.
func joined(v trace.View, n trace.Node) bool { return v.Evicted(n) || v.Caused(n) }

// from is where those stand that start no earlier.
func (l *strays) from(start trace.Time) int {
	if n := len(l.all); n == 0 || l.all[n-1].start < start {
		return n // as nearly always
	}
	return sort.Search(len(l.all), func(i int) bool { return l.all[i].start >= start })
}

// last is the stray that starts last, if there is any.
func (l *strays) last(v trace.View) (stray, bool) {
	for i := len(l.all) - 1; i >= 0; i-- {
		if !joined(v, l.all[i].node) {
			return l.all[i], true
		}
		l.all = l.all[:i]
	}
	return stray{}, false
}

// addStray books a span if no flow has caused it.
func (s *Store) addStray(n trace.Node, span trace.Span) {
	if v := s.graph.View(); !v.Caused(n) {
		s.process(span).strays.add(v, n, span.Start())
		s.roots.add(v, n, span)
	}
}

// noStray is told that n joined a flow: who waits for the process's strays to find
// theirs may wait no longer.
func (s *Store) noStray(p *process, n trace.Node) {
	if i := len(p.strays.all) - 1; i >= 0 && p.strays.all[i].node == n {
		s.found = append(s.found, p)
	}
}

// straying returns the name of a span of the process that started after an instance
// did and is in no flow. It may belong to the instance, where a context was lost or
// a trace has not arrived whole.
func (s *Store) straying(p *process, in *instance) (name string, found bool) {
	v, began := s.graph.View(), s.originStart(in)
	last, found := p.strays.last(v)
	if !found || last.start < began {
		return "", false
	}
	return strings.Clone(v.Span(last.node).Name()), true
}

// originStart is when the origin started, 0 if it has not arrived.
func (s *Store) originStart(in *instance) trace.Time {
	if in.state.Origin == trace.None {
		return 0
	}
	return s.graph.View().Span(in.state.Origin).Start()
}

// watchStrays has the instance looked at again once no stray of the process started
// after it did.
func (s *Store) watchStrays(p *process, in *instance) {
	in.watch(&p.astray, math.MaxUint64-s.originStart(in))
}

// wakeAstray makes those instances due that waited for strays to find their flows.
func (s *Store) wakeAstray() {
	for _, p := range s.found {
		bound := trace.Time(math.MaxUint64)
		if last, ok := p.strays.last(s.graph.View()); ok {
			bound -= last.start + 1
		}
		s.rouse(&p.astray, bound)
	}
	s.found = s.found[:0]
}
