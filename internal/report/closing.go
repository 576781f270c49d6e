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

// openEdges writes what a flow still waited for when it closed, and what was lost.
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
	p.losses(indent, s)
}

// losses writes what of a flow is known to be lost.
func (p *page) losses(indent int, s scene) {
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
	if e.Kind == trace.WaitsForSilence {
		return "it had to close before it was silent: a longer timing.deadline would see more"
	}
	if e.Node < 0 || int(e.Node) >= f.Received() {
		return "the trigger happened, but no span of its trace arrived"
	}
	span := f.Span(e.Node)
	who := ref(span.Service(), span.Name())
	switch e.Kind {
	case trace.WaitsForParent:
		if f.LoopsBack(e.Node) {
			return fmt.Sprintf("%s names a parent, span %s, whose parents lead back to it: a loop", who, e.Missing)
		}
		return fmt.Sprintf("%s names a parent, span %s, that never arrived%s", who, e.Missing, mayBelong(f, e))
	case trace.WaitsForLinked:
		return fmt.Sprintf("%s links to span %s of trace %s, which never arrived%s", who, e.Missing, linkedTrace(span, e), mayBelong(f, e))
	case trace.WaitsForServer:
		if stray := strayWords(f, e); stray != "" {
			return fmt.Sprintf("%s is a call%s without a server span: %s", who, peer(span), stray)
		}
		return fmt.Sprintf("%s is a call%s without a server span: is the callee instrumented, was the context lost?", who, peer(span))
	case trace.WaitsForConsumer:
		if other := alsoConsumed(f, e); other != "" {
			return fmt.Sprintf("%s sent a message%s that %s seems to have consumed, too: %s", who, destination(span), other, strayWords(f, e))
		}
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
		return fmt.Sprintf("its context was probably lost, since %s began a trace of its own (%s); %s", ref(s.Service(), s.Name()), s.TraceID(),
			sideWords(e.Lost, f.Span(e.Node).Service(), s.Service()))
	}
	return ""
}

// sideWords says who lost a context.
func sideWords(side trace.Side, sender, receiver string) string {
	switch side {
	case trace.BySender:
		return fmt.Sprintf("%s goes on with the contexts of others, so %s did not send it", receiver, sender)
	case trace.ByReceiver:
		return fmt.Sprintf("others go on with the contexts of %s, so %s did not read it", sender, receiver)
	}
	return fmt.Sprintf("%s did not send it, or %s did not read it", sender, receiver)
}

// mayBelong says of a span that is no member what it has to do with the flow.
func mayBelong(f trace.Flow, e trace.OpenEdge) string {
	if f.Contains(e.Node) {
		return ""
	}
	return ": it may belong here"
}

// linkedTrace is that of the link of a span that leads nowhere.
func linkedTrace(s trace.Span, e trace.OpenEdge) string {
	for l := range s.Links() {
		if l.SpanID() == e.Missing {
			return l.TraceID().String()
		}
	}
	return ""
}

// alsoConsumed is the service that seems to have consumed a message beside one that did,
// "" if nobody did.
func alsoConsumed(f trace.Flow, e trace.OpenEdge) string {
	for n := range f.Followers(e.Node) {
		if f.Span(n).Kind() == trace.Consumer && len(e.Strays) > 0 {
			return f.Span(e.Strays[0]).Service()
		}
	}
	return ""
}

// hangingWords is edgeWords for a line below the span itself.
func hangingWords(f trace.Flow, e trace.OpenEdge) string {
	switch span := f.Span(e.Node); e.Kind {
	case trace.WaitsForServer:
		return "… no server span" + strings.Replace(peer(span), "to", "of", 1) + ": is the callee instrumented, was the context lost?"
	case trace.WaitsForConsumer:
		if other := alsoConsumed(f, e); other != "" {
			return "… not consumed by " + other + ", whose context was probably lost"
		}
		return "… nobody consumed this message" + destination(span)
	case trace.WaitsForLinked:
		return fmt.Sprintf("… links to span %s, which never arrived", e.Missing)
	}
	return "… waits for its " + e.Kind.String()
}

func peer(s trace.Span) string {
	return named(s, " to ", "server.address", "peer.service", "rpc.service")
}

func destination(s trace.Span) string { return named(s, " to ", "messaging.destination.name") }

// named is the first of the attributes that the span has, also by a former name, behind a
// preposition.
func named(s trace.Span, preposition string, keys ...string) string {
	for _, key := range keys {
		for _, k := range trace.Aliases(key) {
			if v, ok := s.Attr(k); ok && v.Str() != "" {
				return preposition + v.Str()
			}
		}
	}
	return ""
}
