package store

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// keyed is a value of a correlation key, as one declared flow sees it.
type keyed struct {
	of    *declaration
	key   string
	value trace.Value
}

// holders are the spans that have a correlation key's value, and how many instances
// hold it: have such a span otherwise than by a key. The value joins spans to the one
// that does. If several do it says too little to tell them apart, and joins nothing.
type holders struct {
	spans     []trace.Node // some may have been evicted
	count     int          // of those that were not
	instances int
	one       *instance // that holds it, if no other does
	numbers   uint32    // of the instances, combined by xor: the number of one that is left
	joined    bool      // it has joined spans to one
}

// offer makes a new span known under its correlation keys, and a member of the
// one instance that holds one of its values.
func (s *Store) offer(n trace.Node, span trace.Span) {
	for _, d := range s.flows {
		for k := range d.keysOf(span) {
			h := s.holders(k)
			before := cap(h.spans)
			h.spans = append(h.spans, n)
			s.booked += int64(cap(h.spans)-before) * nodeBytes
			h.count++
			s.joinByKey(h, n)
		}
	}
}

// keysOf yields the values of correlation keys that a span has.
func (d *declaration) keysOf(span trace.Span) func(yield func(keyed) bool) {
	return func(yield func(keyed) bool) {
		for _, key := range d.Keys {
			if v, ok := key.Of(span); ok && v.Kind() != trace.Empty && !yield(keyed{d, key.Key, v}) {
				return
			}
		}
	}
}

func (s *Store) holders(k keyed) *holders {
	h := s.keys[k]
	if h == nil {
		h = &holders{}
		k.value = k.value.Clone() // It lies in a block of spans.
		s.keys[k] = h
		s.booked += int64(len(k.value.Str()))
	}
	return h
}

// gather joins the spans that share a value with its one holder.
func (s *Store) gather(h *holders) {
	if h.one != nil {
		for _, n := range slices.Clone(h.spans) {
			s.joinByKey(h, n)
		}
	}
}

// joinByKey joins a span that starts no earlier than the origin of the one holder, as far
// as their clocks can tell.
func (s *Store) joinByKey(h *holders, n trace.Node) {
	in, v := h.one, s.graph.View()
	if in == nil || in.origin == trace.None || v.Evicted(n) || startsBefore(v.Span(n), v.Span(in.origin)) {
		return
	}
	h.joined = true
	s.propagate(in, n, trace.ByKey, throughKey)
}

// correlate lets an instance hold the values of a member.
func (s *Store) correlate(in *instance, n trace.Node) {
	if len(in.of.Keys) == 0 || in.of.Opens == trace.OpensBySession {
		return
	}
	for k := range in.of.keysOf(s.graph.View().Span(n)) {
		s.hold(in, k)
	}
}

func (s *Store) hold(in *instance, k keyed) {
	h := s.holders(k)
	w := s.waysOf(in)
	if _, known := w.holds[h]; known {
		return
	}
	if w.holds == nil {
		w.holds = map[*holders]int{}
	}
	w.holds[h] = len(w.holds)
	s.book(in, hopBytes)
	if h.joined && h.one != nil {
		s.ambiguous = append(s.ambiguous, h.one)
	}
	h.instances++
	h.numbers ^= in.w.Record().Number()
	h.one, h.joined = nil, false
	switch h.instances {
	case 1:
		h.one = in
		s.gather(h)
	case 2:
		if len(s.shared) < maxOddities {
			s.shared = append(s.shared, sharedKey{k.key + "=" + k.value.String(), h})
		}
	}
}

// held are the values that the instance holds, in the order in which it came to.
func (in *instance) held() []*holders {
	if in.ways == nil {
		return nil
	}
	out := make([]*holders, len(in.ways.holds))
	for h, i := range in.ways.holds {
		out[i] = h
	}
	return out
}

// gatherEarlier asks again for the spans that share a value, since the origin is
// earlier than was known.
func (s *Store) gatherEarlier(in *instance) {
	for _, h := range in.held() {
		s.gather(h)
	}
}

// forget takes a retracted instance off the values that it held. One that a single
// instance holds now joins again; see settle.
func (s *Store) forget(in *instance) {
	for _, h := range in.held() {
		h.instances--
		h.numbers ^= in.w.Record().Number()
		h.one, h.joined = nil, false
		s.freed = append(s.freed, h)
	}
	in.ways = nil
}

// hand gives a value to the one instance that still holds it, if there is one.
func (s *Store) hand(h *holders) {
	if h.instances == 1 && h.one == nil {
		h.one = s.instances[h.numbers]
		s.gather(h)
	}
}

// forgetKeys forgets that a span had the values of correlation keys, before it is
// evicted. A value that no span has is forgotten altogether.
func (s *Store) forgetKeys(span trace.Span) {
	v := s.graph.View()
	for _, d := range s.flows {
		for k := range d.keysOf(span) {
			h := s.keys[k]
			if h == nil {
				continue
			}
			if h.count--; h.count == 0 {
				delete(s.keys, k)
				s.booked -= int64(cap(h.spans))*nodeBytes + int64(len(k.value.Str()))
			} else if len(h.spans) > 2*h.count+8 {
				h.spans = slices.DeleteFunc(h.spans, v.Evicted)
			}
		}
	}
}

// sharedKey is a value that several instances hold, or have held, in words.
type sharedKey struct {
	text string
	h    *holders
}

// sharedKeys are the values that several instances hold.
func (s *Store) sharedKeys() (out []string) {
	for _, k := range s.shared {
		if k.h.instances > 1 && !slices.Contains(out, k.text) {
			out = append(out, k.text)
		}
	}
	slices.Sort(out)
	return out
}
