package store

import (
	"strings"

	"github.com/followspan/followspan/trace"
)

// hops are what was learned of who passes contexts on, separately for calls and for
// messages: whose somebody went on with, and who went on with somebody's.
type hops struct{ sent, read map[hopper]bool }

type hopper struct {
	kind    trace.Kind // of the sender's span
	service string
}

func newHops() hops { return hops{map[hopper]bool{}, map[hopper]bool{}} }

// learn looks at the hops that end at a new span, and at those that begin there.
func (h *hops) learn(v trace.View, n trace.Node, span trace.Span) {
	switch span.Kind() {
	case trace.Server, trace.Consumer:
		if p, ok := v.Parent(n); ok {
			h.note(v.Span(p), span)
		}
		for cause, rule := range v.Causes(n) {
			if rule == trace.ByLink {
				h.note(v.Span(cause), span)
			}
		}
	case trace.Client, trace.Producer:
		for child := range v.Children(n) {
			h.note(span, v.Span(child))
		}
		for effect, rule := range v.Effects(n) {
			if rule == trace.ByLink {
				h.note(span, v.Span(effect))
			}
		}
	}
}

func (h *hops) note(from, to trace.Span) {
	if received(from.Kind()) != to.Kind() || from.Service() == to.Service() {
		return
	}
	put(h.sent, hopper{from.Kind(), from.Service()})
	put(h.read, hopper{from.Kind(), to.Service()})
}

// received is the kind of the span at the other end of a hop.
func received(sent trace.Kind) trace.Kind {
	switch sent {
	case trace.Client:
		return trace.Server
	case trace.Producer:
		return trace.Consumer
	}
	return trace.KindUnspecified
}

func put(set map[hopper]bool, who hopper) {
	if !set[who] {
		set[hopper{who.kind, strings.Clone(who.service)}] = true
	}
}

// lostAt is the side on which the context of a hop was lost.
func (h *hops) lostAt(from, to trace.Span) trace.Side {
	sends, reads := h.sent[hopper{from.Kind(), from.Service()}], h.read[hopper{from.Kind(), to.Service()}]
	switch {
	case reads && !sends:
		return trace.BySender
	case sends && !reads:
		return trace.ByReceiver
	}
	return trace.EitherSide
}
