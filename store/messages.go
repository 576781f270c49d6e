package store

import (
	"iter"
	"slices"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// message is what a producer and its consumers have in common.
type message struct{ system, destination, id string }

func (m message) clone() message {
	return message{strings.Clone(m.system), strings.Clone(m.destination), strings.Clone(m.id)}
}

func messageOf(s trace.Span) message {
	if k := s.Kind(); k != trace.Producer && k != trace.Consumer {
		return message{}
	}
	return message{text(s, string(semconv.MessagingSystemKey)), destination(s), messageID(s)}
}

func messageID(s trace.Span) string { return anyText(s, string(semconv.MessagingMessageIDKey)) }

func destination(s trace.Span) string { return anyText(s, string(semconv.MessagingDestinationNameKey)) }

// addMessage joins a producer with the consumers of its message, and a consumer with the
// producers.
func (x *index) addMessage(n trace.Node, s trace.Span) (joined []trace.Node) {
	m := messageOf(s)
	if m.id == "" {
		return nil
	}
	hash := x.hashMessage(m)
	producers := x.withMessage(&x.producers, hash, m, maxProducers)
	if len(producers) == maxProducers {
		return nil
	}
	switch s.Kind() {
	case trace.Producer:
		x.producers.add(hash, n)
		producers = append(producers, n)
		for c := range x.consumersOf(hash) {
			if messageOf(x.graph.View().Span(c)) == m && x.joinMessage(m, c, producers) {
				joined = append(joined, c)
			}
		}
	case trace.Consumer:
		x.addConsumer(hash, n)
		x.joinMessage(m, n, producers)
	}
	slices.Sort(joined)
	return joined
}

// joinMessage joins a consumer with those that sent its message, and reports whether it
// was not yet with one of them.
func (x *index) joinMessage(m message, consumer trace.Node, producers []trace.Node) (joined bool) {
	v := x.graph.View()
	span := v.Span(consumer)
	senders, others := split(v, span, producers)
	var first trace.TraceID
	for _, p := range senders {
		producer := v.Span(p)
		if precedes(span, producer) {
			continue
		}
		if first.IsZero() {
			first = producer.TraceID()
		}
		if first != producer.TraceID() && len(x.shared) < maxOddities && !x.shared[m] {
			x.shared[m.clone()] = true
		}
		joined = connect(x.graph, p, consumer, trace.ByMessage) || joined
	}
	for _, p := range others {
		if x.graph.Disconnect(p, consumer) {
			x.parted = append(x.parted, consumer)
			delete(x.shared, m)
		}
	}
	return joined
}

// split tells those that may have sent a consumer its message from others that gave
// another message the same id: a consumer whose context names a producer has the message
// of that producer's trace.
func split(v trace.View, consumer trace.Span, producers []trace.Node) (senders, others []trace.Node) {
	if len(producers) < 2 {
		return producers, nil
	}
	var traces []trace.TraceID
	for _, p := range producers {
		if producer := v.Span(p); parentOf(consumer) == idOf(producer) || linksTo(consumer, idOf(producer)) {
			traces = append(traces, producer.TraceID())
		}
	}
	if len(traces) == 0 {
		return producers, nil
	}
	for _, p := range producers {
		if slices.Contains(traces, v.Span(p).TraceID()) {
			senders = append(senders, p)
		} else {
			others = append(others, p)
		}
	}
	return senders, others
}

// mixedUp is a loss to a flow: what it holds may be another's.
const mixedUp = "consumers that may have had the message of another flow, sent with the same id"

// mixedUp counts such consumers of an instance, once it is complete.
func (s *Store) mixedUp(in *instance) (count int) {
	if len(s.index.shared) == 0 || in.state == trace.Open {
		return 0
	}
	v := s.graph.View()
	for _, n := range in.w.Members() {
		if in.w.JoinedBy(n) != trace.ByMessage || v.Evicted(n) {
			continue
		}
		for cause, rule := range v.Causes(n) {
			if rule == trace.ByMessage && in.w.JoinedBy(cause) == trace.NoRule {
				count++
				break
			}
		}
	}
	return count
}

// precedes reports whether a consumer began before a producer did, by one clock: then it
// had another's message. A task that is tried again is often sent again with its id.
func precedes(consumer, producer trace.Span) bool {
	a, b := consumer.Resource(), producer.Resource()
	oneClock := a.Host() != "" && a.Host() == b.Host() || a.Equal(b)
	return oneClock && consumer.Start() < producer.Start().Add(-sameClock)
}

// addConsumer keeps those apart from the lookup that have what another one has: it
// would get slow of many that are found by the same hash.
func (x *index) addConsumer(hash uint64, n trace.Node) {
	for range x.consumers.find(hash) {
		x.others.add(hash, n)
		return
	}
	x.consumers.add(hash, n)
}

// consumersOf yields the consumers of the messages with a hash. Some may have been
// evicted.
func (x *index) consumersOf(hash uint64) iter.Seq[trace.Node] {
	return func(yield func(trace.Node) bool) {
		for n := range x.consumers.find(hash) {
			if !yield(n) {
				return
			}
		}
		for _, n := range x.others.of(hash) {
			if !yield(n) {
				return
			}
		}
	}
}

// maxProducers is how many spans may send one message. What has an id that more have
// tells no messages apart, and would join all with all.
const maxProducers = 64

// withMessage are those that have a message, at most so many.
func (x *index) withMessage(l *lookup, hash uint64, m message, most int) (all []trace.Node) {
	for n := range l.find(hash) {
		if messageOf(x.graph.View().Span(n)) != m {
			continue
		}
		if all = append(all, n); len(all) == most {
			break
		}
	}
	return all
}
