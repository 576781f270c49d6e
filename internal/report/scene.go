package report

import (
	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

// scene is the flow in which something is shown. Its zero value is no flow: for a
// verdict about a flow that never happened.
type scene struct {
	clock
	flow   trace.Flow
	origin trace.Time // to which shown times are relative; 0 if nothing is known
	spans  int        // without followspan's own
	peers  int        // services
}

func sceneOf(i *run.InstanceResult) scene { return newScene(i.Flow) }

func newScene(f trace.Flow) scene {
	s := scene{flow: f}
	if f.FlowRecord == nil {
		return s
	}
	if f.Evicted() {
		s.spans, s.peers = f.Remains().Spans, f.Remains().Services
		return s
	}
	s.clock = newClock(f)
	trigger, triggered := f.Trigger()
	services := map[string]bool{}
	for i := range f.Len() {
		n := f.Member(i)
		span := f.Span(n)
		if span.Evicted() {
			s.spans++
			continue
		}
		if at, ok := s.when(intervalOf(span)); ok && (s.origin == 0 || at.start < s.origin) {
			s.origin = at.start
		}
		if triggered && n == trigger {
			continue
		}
		s.spans++
		services[span.Service()] = true
	}
	s.peers = len(services)
	n, ok := f.Origin()
	if triggered {
		n, ok = trigger, true
	}
	if ok && s.knows(f.Span(n).Start()) {
		s.origin = f.Span(n).Start()
	}
	return s
}

func (s scene) exists() bool { return s.flow.FlowRecord != nil }

// since is s, or a scene whose times are relative to the first of the spans if s
// has no time to be relative to.
func (s scene) since(notes []assertions.SpanNote) scene {
	if s.origin != 0 {
		return s
	}
	for _, n := range notes {
		if s.knows(n.Span.Start) && (s.origin == 0 || n.Span.Start < s.origin) {
			s.origin = n.Span.Start
		}
	}
	return s
}

// at is the time of a span as it is shown.
func (s scene) at(t trace.Time) string {
	if !s.knows(t) {
		return "no time"
	}
	return offset(t.Sub(s.origin))
}

// joinedBy says which rule brought a span of another trace into the flow, "" if it
// is of the origin's trace or no member.
func (s scene) joinedBy(r assertions.SpanRef) string {
	f := s.flow
	if !s.exists() || r.Node < 0 || int(r.Node) >= f.Received() {
		return ""
	}
	if span := f.Span(r.Node); span.ID() != r.SpanID || span.TraceID() != r.TraceID || r.TraceID == f.TraceID {
		return ""
	}
	switch rule := f.JoinedBy(r.Node); rule {
	case trace.ByLink, trace.ByMessage, trace.ByKey:
		return "joined by " + rule.String()
	}
	return ""
}

// ref is a span in one word: email/process orders.
func ref(service, name string) string { return serviceName(service) + "/" + spanName(name) }

func serviceName(s string) string {
	if s == "" {
		return "(no service)"
	}
	return s
}

func spanName(s string) string {
	if s == "" {
		return "(no name)"
	}
	return s
}

// role is the kind of a span where it is not what one would think.
func role(k trace.Kind) string {
	switch k {
	case trace.Client, trace.Producer, trace.Consumer:
		return " (" + k.String() + ")"
	}
	return ""
}
