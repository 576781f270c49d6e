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

// holders are the spans that have a correlation key's value, and the instance.
type holders struct {
	spans    []trace.Node
	instance *instance // nil before any has it, and once several have
	shared   bool      // several instances have had it: it joins nothing any more
}

// offer makes a new span known under its correlation keys, and a member of the
// one instance that holds one of its values.
func (s *Store) offer(n trace.Node, span trace.Span) {
	for _, d := range s.flows {
		for _, key := range d.Keys {
			v, ok := key.Of(span)
			if !ok || v.Kind() == trace.Empty {
				continue
			}
			h := s.holders(keyed{d, key.Key, v})
			if h.shared {
				continue
			}
			h.spans = append(h.spans, n)
			if h.instance != nil {
				s.joinByKey(h.instance, n)
			}
		}
	}
}

func (s *Store) holders(k keyed) *holders {
	h := s.keys[k]
	if h == nil {
		h = &holders{}
		s.keys[k] = h
	}
	return h
}

// joinByKey joins a span that starts no earlier than the origin.
func (s *Store) joinByKey(in *instance, n trace.Node) {
	v := s.graph.View()
	if in.state.Origin != trace.None && v.Span(n).Start() >= v.Span(in.state.Origin).Start() {
		in.gathered = true
		s.propagate(in, n, trace.ByKey, in.hops[n])
	}
}

// correlate gathers the spans that share a key's value with a new member. A
// value that a second instance holds as well joins nothing any more: it says too
// little to tell them apart.
func (s *Store) correlate(in *instance, n trace.Node, span trace.Span) {
	if len(in.of.Keys) == 0 || in.of.Opens == trace.OpensBySession || in.w.JoinedBy(n) == trace.ByKey {
		return
	}
	for _, key := range in.of.Keys {
		v, ok := key.Of(span)
		if !ok || v.Kind() == trace.Empty {
			continue
		}
		switch h := s.holders(keyed{in.of, key.Key, v}); {
		case h.shared || h.instance == in:
		case h.instance == nil:
			h.instance = in
			for _, other := range slices.Clone(h.spans) {
				s.joinByKey(in, other)
			}
		default:
			s.stats.SharedKeys = append(s.stats.SharedKeys, key.Key+"="+v.String())
			s.ambiguous = append(s.ambiguous, h.instance)
			*h = holders{shared: true}
		}
	}
}

// gatherEarlier asks again for the spans that share a key's value, since the origin
// is earlier than was known.
func (s *Store) gatherEarlier(in *instance) {
	if len(in.of.Keys) == 0 {
		return
	}
	for _, n := range slices.Clone(in.w.Members()) {
		for _, key := range in.of.Keys {
			v, ok := key.Of(s.graph.View().Span(n))
			if h := s.keys[keyed{in.of, key.Key, v}]; ok && h != nil && h.instance == in {
				for _, other := range slices.Clone(h.spans) {
					s.joinByKey(in, other)
				}
			}
		}
	}
}

// regather founds an instance anew that has gathered spans by a value which
// turned out to be shared.
func (s *Store) regather(in *instance) {
	if in.state.State != trace.Retracted && in.gathered {
		s.refound(in)
	}
}

// forget takes a retracted instance off the keys that it held; a value stays
// shared once it was.
func (s *Store) forget(in *instance) {
	if len(in.of.Keys) == 0 {
		return
	}
	for _, n := range in.w.Members() {
		span := s.graph.View().Span(n)
		for _, key := range in.of.Keys {
			v, ok := key.Of(span)
			if h := s.keys[keyed{in.of, key.Key, v}]; ok && h != nil && h.instance == in {
				h.instance = nil
			}
		}
	}
}
