package store

import (
	"iter"
	"math"
	"slices"
	"sort"

	"github.com/followspan/followspan/trace"
)

// strays are spans that no flow has caused, as far as is known, in the order of
// their starts: they belong to none, or by no more than a correlation key, or came before
// its origin, or their context was lost. Some may have joined a flow since.
type strays struct {
	// chunks are sorted, one after the other, and none is empty: what arrives out of
	// order moves no more than a chunk.
	chunks     [][]stray
	count      int
	limit      int   // of the count, at which those that joined are sorted out
	parentless bool  // those whose parent has arrived are sorted out, too
	freed      int64 // bytes since add returned last
}

// stray is one of them. Its start is still needed when the span was evicted.
type stray struct {
	start trace.Time
	node  trace.Node
}

const (
	fewStrays   = 64 // are not worth to be sorted out
	chunkStrays = 256
)

// add takes in a stray and returns by how many bytes the list grew.
func (l *strays) add(v trace.View, n trace.Node, start trace.Time) (grown int64) {
	if l.count >= l.limit {
		before := l.bytes()
		l.sortOut(v)
		grown = l.bytes() - before
	}
	grown, l.freed = grown-l.freed, 0
	l.count++
	i := l.chunkOf(start)
	if i < 0 {
		l.chunks = append(l.chunks, nil)
		i = 0
	}
	if len(l.chunks[i]) == chunkStrays {
		i, grown = l.split(i, start), grown+chunkStrays*strayBytes
	}
	c := l.chunks[i]
	before := cap(c)
	c = slices.Insert(c, from(c, start+1), stray{start, n})
	l.chunks[i] = c
	return grown + int64(cap(c)-before)*strayBytes
}

// split makes room in a full chunk, and returns where start belongs then. At the end,
// where nearly all are added, a chunk stays full.
func (l *strays) split(i int, start trace.Time) int {
	c, next := l.chunks[i], make([]stray, 0, chunkStrays)
	if i < len(l.chunks)-1 || start < c[len(c)-1].start {
		half := len(c) / 2
		next = append(next, c[half:]...)
		l.chunks[i] = c[:half]
	}
	l.chunks = slices.Insert(l.chunks, i+1, next)
	if len(next) == 0 || start >= next[0].start {
		return i + 1
	}
	return i
}

// chunkOf is the last chunk that begins no later than start, or the first; -1 if there
// is none.
func (l *strays) chunkOf(start trace.Time) int {
	last := len(l.chunks) - 1
	if last < 0 || l.chunks[last][0].start <= start {
		return last // as nearly always
	}
	return max(0, sort.Search(last, func(i int) bool { return l.chunks[i][0].start > start })-1)
}

// from is where those stand in a chunk that start no earlier.
func from(c []stray, start trace.Time) int {
	if n := len(c); n == 0 || c[n-1].start < start {
		return n
	}
	return sort.Search(len(c), func(i int) bool { return c[i].start >= start })
}

// sortOut drops those that joined a flow.
func (l *strays) sortOut(v trace.View) {
	l.count = 0
	for i, c := range l.chunks {
		l.chunks[i] = slices.DeleteFunc(c, func(s stray) bool { return l.isOut(v, s.node) })
		l.count += len(l.chunks[i])
	}
	l.chunks = slices.DeleteFunc(l.chunks, func(c []stray) bool { return len(c) == 0 })
	l.limit = max(fewStrays, 2*l.count)
}

// tidy sorts out once so many of those that were looked at were out that it pays.
func (l *strays) tidy(v trace.View, out int) {
	if out > fewStrays && 4*out > l.count {
		before := l.bytes()
		l.sortOut(v)
		l.freed += before - l.bytes()
	}
}

func (l *strays) bytes() (n int64) {
	for _, c := range l.chunks {
		n += int64(cap(c)) * strayBytes
	}
	return n
}

// isOut reports whether a span does not belong on the list any more.
func (l *strays) isOut(v trace.View, n trace.Node) bool {
	_, found := v.Parent(n)
	return joined(v, n) || l.parentless && found
}

// joined reports whether a span that was a stray is one no more.
func joined(v trace.View, n trace.Node) bool { return v.Evicted(n) || v.Connected(n) }

// since yields those that start no earlier.
func (l *strays) since(start trace.Time) iter.Seq[stray] {
	return func(yield func(stray) bool) {
		i := 0
		if start > 0 {
			i = max(0, l.chunkOf(start-1))
		}
		for ; i < len(l.chunks); i++ {
			c := l.chunks[i]
			for _, one := range c[from(c, start):] {
				if !yield(one) {
					return
				}
			}
		}
	}
}

// first is the first of those that start between two times and are right, None if there is
// none. It sorts out what it meets that is no stray any more.
func (l *strays) first(v trace.View, start, end trace.Time, right func(trace.Span) bool) trace.Node {
	found, out := trace.None, 0
	for one := range l.since(start) {
		if one.start > end {
			break
		}
		if l.isOut(v, one.node) {
			out++
			continue
		}
		if right(v.Span(one.node)) {
			found = one.node
			break
		}
	}
	l.tidy(v, out)
	return found
}

// last is the stray that starts last, if there is any.
func (l *strays) last(v trace.View) (stray, bool) {
	for len(l.chunks) > 0 {
		i := len(l.chunks) - 1
		c := l.chunks[i]
		top := c[len(c)-1]
		if !joined(v, top.node) {
			return top, true
		}
		l.count--
		if l.chunks[i] = c[:len(c)-1]; len(c) == 1 {
			l.freed += int64(cap(c)) * strayBytes
			l.chunks[i] = nil
			l.chunks = l.chunks[:i]
		}
	}
	return stray{}, false
}

// endsWith reports whether n is the one that starts last.
func (l *strays) endsWith(n trace.Node) bool {
	if len(l.chunks) == 0 {
		return false
	}
	c := l.chunks[len(l.chunks)-1]
	return c[len(c)-1].node == n
}

// addStray books a span if no flow has caused it, or one that lost its context.
func (s *Store) addStray(n trace.Node, span trace.Span) {
	v := s.graph.View()
	if v.Connected(n) {
		return
	}
	s.booked += s.process(span).strays.add(v, n, span.Start())
	if !s.parentMadeRoom(v, n, span) {
		s.booked += s.roots.add(v, n, span)
	}
}

// parentMadeRoom reports whether the parent that a span names may have arrived, and made
// room before the span came.
func (s *Store) parentMadeRoom(v trace.View, n trace.Node, span trace.Span) bool {
	if span.ParentID().IsZero() {
		return false
	}
	t := s.trace(span.TraceID())
	return t.missing > 0 || v.TraceTorn(n) || t.evicted() > 0
}

// noStray is told that n joined a flow: who waits for the process's strays to find
// theirs may wait no longer.
func (s *Store) noStray(p *process, n trace.Node) {
	if p.strays.endsWith(n) {
		s.found = append(s.found, p)
	}
}

// goneStray is a stray that was evicted.
type goneStray struct {
	start trace.Time
	name  string
}

// straying returns the name of a span of the process that started after an instance
// did and is in no flow. It may belong to the instance, where a context was lost or
// a trace has not arrived whole. The name may lie in a block of spans.
func (s *Store) straying(p *process, in *instance) (name string, found bool) {
	v, began := s.graph.View(), s.originStart(in)
	if last, ok := p.strays.last(v); ok && last.start >= began {
		return v.Span(last.node).Name(), true
	}
	return p.gone.name, p.gone.start >= began && p.gone.start > 0
}

// originStart is when the origin started, 0 if it has not arrived.
func (s *Store) originStart(in *instance) trace.Time {
	if in.origin == trace.None {
		return 0
	}
	return s.graph.View().Span(in.origin).Start()
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
