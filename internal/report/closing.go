package report

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/trace"
)

// shownEdges is how many open edges are put into words for each flow.
const shownEdges = 4

// size is "23 spans of 6 services".
func (s scene) size() string {
	return count(s.spans, "span") + " of " + count(s.peers, "service")
}

// closed says why the flow closed: "closed: deadline after 10s".
func (s scene) closed() string {
	f := s.flow
	switch f.Reason() {
	case trace.NotClosed:
		return "still open"
	case trace.ByDeadline, trace.ByEndOfRun:
		if f.Now() > f.Started && f.Started > 0 {
			return "closed: " + f.Reason().String() + " after " + duration(f.Now().Sub(f.Started))
		}
	}
	return "closed: " + f.Reason().String()
}

// openEdges writes what a flow still waited for when it closed, and what of it is
// known to be lost.
func (p *page) openEdges(indent int, s scene) {
	if !s.exists() {
		return
	}
	edges := s.flow.OpenEdges()
	for i, e := range edges {
		if i == shownEdges && len(edges) > shownEdges+1 && !p.settings.Verbose {
			p.line(indent, painted(yellow, "still open: "), text(fmt.Sprintf("… and %s", count(len(edges)-i, "more edge"))))
			break
		}
		p.paragraph(indent, painted(yellow, "still open: "), edgeWords(s.flow, e))
	}
	for _, l := range s.flow.Losses() {
		p.paragraph(indent, painted(yellow, "lost: "), lossWords(l))
	}
	if cut := s.flow.Cut(); cut > 0 {
		p.paragraph(indent, painted(yellow, "cut: "), fmt.Sprintf("%s beyond the limit of stitch.hops not followed", count(cut, "link")))
	}
}

func lossWords(l trace.Loss) string { return fmt.Sprintf("%s (%s)", l.What, number(l.Count)) }

// edgeWords says what is missing at an open edge.
func edgeWords(f trace.Flow, e trace.OpenEdge) string {
	if e.Node < 0 || int(e.Node) >= f.Received() {
		return "the trigger happened, but no span of its trace arrived"
	}
	span := f.Span(e.Node)
	who := ref(span.Service(), span.Name())
	switch e.Kind {
	case trace.WaitsForParent:
		return fmt.Sprintf("%s names a parent, span %s, that never arrived", who, e.Missing)
	case trace.WaitsForServer:
		if stray := strayWords(f, e); stray != "" {
			return fmt.Sprintf("%s is a call%s without a server span: %s", who, peer(span), stray)
		}
		return fmt.Sprintf("%s is a call%s without a server span: is the callee instrumented, was the context lost?", who, peer(span))
	case trace.WaitsForConsumer:
		text := fmt.Sprintf("%s sent a message%s that nobody consumed", who, destination(span))
		if stray := strayWords(f, e); stray != "" {
			text += ": " + stray
		}
		return text
	}
	return fmt.Sprintf("%s arrived, the origin of the flow did not: has it ended?", who)
}

// strayWords names a span that may be the missing one.
func strayWords(f trace.Flow, e trace.OpenEdge) string {
	for _, n := range e.Strays {
		s := f.Span(n)
		return fmt.Sprintf("its context was probably lost, since %s began a trace of its own (%s)", ref(s.Service(), s.Name()), s.TraceID())
	}
	return ""
}

// hangingWords is edgeWords for a line below the span itself.
func hangingWords(f trace.Flow, e trace.OpenEdge) string {
	switch span := f.Span(e.Node); e.Kind {
	case trace.WaitsForServer:
		return "… no server span" + strings.Replace(peer(span), "to", "of", 1) + ": is the callee instrumented, was the context lost?"
	case trace.WaitsForConsumer:
		return "… nobody consumed this message" + destination(span)
	}
	return "… waits for its " + e.Kind.String()
}

func peer(s trace.Span) string {
	return named(s, " to ", "server.address", "peer.service", "rpc.service")
}

func destination(s trace.Span) string { return named(s, " to ", "messaging.destination.name") }

// named is the first of the attributes that the span has, behind a preposition.
func named(s trace.Span, preposition string, keys ...string) string {
	for _, k := range keys {
		if v, ok := s.Attr(k); ok && v.Str() != "" {
			return preposition + v.Str()
		}
	}
	return ""
}
