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

// holders are the spans and the instances that have a correlation key's value.
type holders struct {
	spans     []trace.Node
	instances []*instance
}

// offer makes a new span known under its correlation keys, and a member of the
// one instance that holds one of its values.
func (s *Store) offer(n trace.Node, span trace.Span) {
	for _, d := range s.flows {
		for _, key := range d.Keys {
			v, ok := span.Attr(key)
			if !ok || v.Kind() == trace.Empty {
				continue
			}
			h := s.holders(keyed{d, key, v})
			h.spans = append(h.spans, n)
			if len(h.instances) == 1 {
				s.joinByKey(h.instances[0], n)
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
		s.propagate(in, n, trace.ByKey, in.hops[n])
	}
}

// correlate gathers the spans that share a key's value with a new member. A
// value that a second instance holds as well joins nothing any more: it says too
// little to tell them apart.
func (s *Store) correlate(in *instance, n trace.Node, span trace.Span) {
	if in.w.JoinedBy(n) == trace.ByKey {
		return
	}
	for _, key := range in.of.Keys {
		v, ok := span.Attr(key)
		if !ok || v.Kind() == trace.Empty {
			continue
		}
		h := s.holders(keyed{in.of, key, v})
		if slices.Contains(h.instances, in) {
			continue
		}
		h.instances = append(h.instances, in)
		switch len(h.instances) {
		case 1:
			for _, other := range slices.Clone(h.spans) {
				s.joinByKey(in, other)
			}
		case 2:
			s.stats.SharedKeys = append(s.stats.SharedKeys, key+"="+v.String())
			s.ambiguous = append(s.ambiguous, h.instances[0])
		}
	}
}

// resolveAmbiguous founds the instances anew that had gathered spans by a value
// which turned out to be shared.
func (s *Store) resolveAmbiguous() {
	for len(s.ambiguous) > 0 {
		in := s.ambiguous[0]
		s.ambiguous = s.ambiguous[1:]
		if in.state.State != trace.Retracted && in.hasJoined(trace.ByKey) {
			s.refound(in)
		}
	}
}

func (in *instance) hasJoined(rule trace.Rule) bool {
	return slices.ContainsFunc(in.w.Members(), func(n trace.Node) bool { return in.w.JoinedBy(n) == rule })
}

// forget takes a retracted instance off the keys that it held; a value stays
// shared once it was.
func (s *Store) forget(in *instance) {
	for _, n := range in.w.Members() {
		span := s.graph.View().Span(n)
		for _, key := range in.of.Keys {
			v, ok := span.Attr(key)
			if h := s.keys[keyed{in.of, key, v}]; ok && h != nil && len(h.instances) == 1 && h.instances[0] == in {
				h.instances = nil
			}
		}
	}
}
