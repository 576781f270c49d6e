package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// lostContext says what the place of a span in another trace means: on which side
// the context was lost, as far as it can be known, and what else joins the two.
func (x *explainer) lostContext(n trace.Node) string {
	top, it := n, "it"
	for p, ok := x.flow.Parent(top); ok && !x.flow.Contains(p); p, ok = x.flow.Parent(p) {
		top = p
	}
	prefix := ""
	if top != n {
		it = x.name(top)
		prefix = "it is below " + it + "; "
	}
	text := prefix + it + " " + x.lost(top)
	if !strings.HasSuffix(text, "?") {
		text += "."
	}
	if shared := x.shared(n); shared != "" {
		text += " It has the same " + shared + "."
	}
	return text
}

// lost says why nothing joins the first span of another trace to this flow.
func (x *explainer) lost(n trace.Node) string {
	switch s := x.flow.Span(n); {
	case x.linksUnsampled(n):
		return "links to a span that its service did not sample; OTEL_TRACES_SAMPLER=always_on keeps all"
	case x.linksElsewhere(n):
		return "links to a span that is no part of this flow"
	case x.flow.LoopsBack(n):
		return fmt.Sprintf("names a parent, span %s, whose parents lead back to it: a loop", s.ParentID())
	case !s.ParentID().IsZero():
		return fmt.Sprintf("names a parent, span %s, that never arrived", s.ParentID())
	case s.Kind() == trace.Consumer:
		return x.lostMessage(n)
	case s.Kind() == trace.Server:
		return x.lostCall(n)
	}
	return "has neither a parent nor a link, so nothing joins it to this flow"
}

func (x *explainer) linksUnsampled(n trace.Node) bool {
	s := x.flow.Span(n)
	for l := range s.Links() {
		if s.Unsampled(l) {
			return true
		}
	}
	return false
}

func (x *explainer) linksElsewhere(n trace.Node) bool {
	for range x.flow.Span(n).Links() {
		return true
	}
	return false
}

// lostMessage compares a consumer that started a trace of its own with the
// producers of the flow.
func (x *explainer) lostMessage(n trace.Node) string {
	service := clone(x.flow.Span(n).Service())
	p := x.producerFor(n)
	for _, e := range x.flow.OpenEdges() {
		if e.Kind == trace.WaitsForConsumer && slices.Contains(e.Strays, n) {
			p = e.Node
		}
	}
	if p == trace.None {
		return "has neither a link nor a parent, so nothing joins it to this flow"
	}
	producer := x.name(p)
	text := "has neither a link to " + producer + " nor a parent: "
	sent, received := x.attr(p, "messaging.message.id"), x.attr(n, "messaging.message.id")
	switch {
	case x.isConsumed(p):
		text += "another service went on with the context of the message, so " + service + " did not read it"
	case x.otherConsumersLink(n):
		text += service + " links other messages to their producers, so the producer sent this one without its context"
	case x.otherMessagesLink(p):
		text += "other messages of " + clone(x.flow.Span(p).Service()) + " carry their context, so " + service + " did not read it"
	case sent != "" && received == "":
		text += fmt.Sprintf("the producer recorded messaging.message.id %q and %s received none, so the message seems to have arrived without its headers. Does %s put its context into them?", sent, service, clone(x.flow.Span(p).Service()))
	default:
		text += clone(x.flow.Span(p).Service()) + " did not put its context into the message's headers, or " + service + " did not read it"
	}
	return text
}

// producerFor is the producer of the flow whose message a consumer may have got:
// one that nobody consumed, to the same destination if both name theirs.
func (x *explainer) producerFor(n trace.Node) trace.Node {
	to := x.attr(n, "messaging.destination.name")
	best := trace.None
	for _, p := range x.members() {
		if x.flow.Span(p).Kind() != trace.Producer || !x.isUnconsumed(p) {
			continue
		}
		if from := x.attr(p, "messaging.destination.name"); to == "" || from == "" || from == to {
			best = p
		}
	}
	return best
}

// otherConsumersLink reports whether the consumer's service links some message.
func (x *explainer) otherConsumersLink(n trace.Node) bool {
	service := x.flow.Span(n).Service()
	for i := range x.flow.Received() {
		m := trace.Node(i)
		if m != n && x.flow.Span(m).Kind() == trace.Consumer && x.flow.Span(m).Service() == service && x.linksElsewhere(m) {
			return true
		}
	}
	return false
}

// otherMessagesLink reports whether some message of the producer's service was
// followed by the context that it carried.
func (x *explainer) otherMessagesLink(p trace.Node) bool {
	service := x.flow.Span(p).Service()
	for i := range x.flow.Received() {
		m := trace.Node(i)
		if m != p && x.flow.Span(m).Kind() == trace.Producer && x.flow.Span(m).Service() == service && !x.isUnconsumed(m) {
			return true
		}
	}
	return false
}

// lostCall says which call of the flow a server span of another trace may answer.
func (x *explainer) lostCall(n trace.Node) string {
	service := clone(x.flow.Span(n).Service())
	for _, c := range x.members() {
		if x.flow.Span(c).Kind() == trace.Client && !x.hasServer(c) && x.names(c, service) {
			return fmt.Sprintf("started a trace of its own: %s called %s and has no server span, so %s", x.name(c), service, x.lostAt(c, n))
		}
	}
	for _, e := range x.flow.OpenEdges() {
		if e.Kind == trace.WaitsForServer && slices.Contains(e.Strays, n) {
			return fmt.Sprintf("started a trace of its own while %s called somebody and has no server span, so %s", x.name(e.Node), x.lostAt(e.Node, n))
		}
	}
	return "began the trace, as a request from outside does, or a call that lost its context"
}

// lostAt says on which side a call lost its context.
func (x *explainer) lostAt(call, server trace.Node) string {
	service := clone(x.flow.Span(server).Service())
	for _, e := range x.flow.OpenEdges() {
		switch {
		case e.Node != call || !slices.Contains(e.Strays, server):
		case e.Lost == trace.BySender:
			return "the call went without its context: " + service + " goes on with those of others"
		case e.Lost == trace.ByReceiver:
			return service + " did not read its context: others go on with those of " + clone(x.flow.Span(call).Service())
		}
	}
	return "the call went without its context, or " + service + " did not read it"
}

// shared names an attribute that identifies something and has one value on both a
// span of another trace and a member of the flow.
func (x *explainer) shared(n trace.Node) string {
	for key, v := range x.flow.Span(n).Attrs() {
		if !identifies(key) || v.Kind() != trace.String && v.Kind() != trace.Int {
			continue
		}
		for _, m := range x.members() {
			if w, ok := x.flow.Span(m).Attr(key); ok && w == v {
				return fmt.Sprintf("%s, %s, as %s", clone(key), clone(v.String()), x.name(m))
			}
		}
	}
	return ""
}

// identifies reports whether a key is likely to name one thing among many.
func identifies(key string) bool {
	for _, ending := range []string{".id", "_id", ".key", "_key", ".uuid", ".number"} {
		if strings.HasSuffix(key, ending) && !strings.HasPrefix(key, "messaging.client") && !strings.HasPrefix(key, "thread.") {
			return true
		}
	}
	return key == "id"
}
