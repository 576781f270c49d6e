package lang

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Occurrence is a span that counts for a key: its own, or that of a message which
// it links to.
type Occurrence struct {
	Node trace.Node
	Key  Value
	// Of is the member of the flow whose message this is, None if the span has the
	// key itself.
	Of trace.Node
}

// Occurrences are the spans of argument 0 by key. A span that has the key counts
// once. One without it counts once for each of its links into the flow, with the
// key that stands on the link, else with that of the span which it links to:
// so it makes no difference in how large batches messages are taken.
func (e *Expr) Occurrences(f *Frame) (out []Occurrence, d *Doubt) {
	nodes, d := e.spans(f, 0)
	for _, n := range nodes {
		f.step(1)
		own := e.Args[1].of(f, spanValue(n))
		linked := []Occurrence{{n, own, trace.None}}
		if own.kind == Missing {
			if by := e.byLinks(f, n); len(by) > 0 {
				linked = by
			}
		}
		for _, o := range linked {
			d = worse(d, o.Key.Doubt())
		}
		out = append(out, linked...)
	}
	return out, d
}

// byLinks are the messages of the flow that a span links to.
func (e *Expr) byLinks(f *Frame, n trace.Node) (out []Occurrence) {
	for l := range f.span(n).Links() {
		f.step(1)
		target := f.linkTarget(linkRef{n, l})
		if target.kind == Unknown {
			out = append(out, Occurrence{n, target, trace.None})
			continue
		}
		m, known := target.Node()
		if !known || f.Member != nil && !f.Member(m) || slices.ContainsFunc(out, func(o Occurrence) bool { return o.Of == m }) {
			continue
		}
		key := e.onLink(l)
		if key.kind == Missing {
			key = e.Args[1].of(f, target)
		}
		out = append(out, Occurrence{n, key, m})
	}
	return out
}

// onLink is the key among the attributes of a link, if the key is an attribute.
func (e *Expr) onLink(l trace.Link) Value {
	if key := e.Args[1].Args[0]; key.Op == OpAttr && key.Args[0].Op == OpElement {
		return firstAttr(l.Attr, key.keys)
	}
	return missing
}

func runExactlyOnce(f *Frame, e *Expr) (Value, *Doubt) {
	all, d := e.Occurrences(f)
	seen := map[identity]bool{}
	for _, o := range all {
		id := o.Key.identity()
		if o.Key.kind == Missing || seen[id] {
			return no, d
		}
		seen[id] = true
	}
	return boolValue(len(all) > 0), worse(d, f.coming())
}

func runAtLeastOnce(f *Frame, e *Expr) (Value, *Doubt) {
	all, d := e.Occurrences(f)
	missed := slices.ContainsFunc(all, func(o Occurrence) bool { return o.Key.kind == Missing })
	return boolValue(len(all) > 0 && !missed), worse(d, f.coming())
}
