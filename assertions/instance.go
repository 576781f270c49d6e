package assertions

import (
	"fmt"
	"slices"
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// Instance judges one time that a flow happened. It is used by one goroutine at
// a time; several instances of one suite may be used at once.
type Instance struct {
	flow     *Flow
	frame    *lang.Frame
	sets     []*tracker
	states   []*checkState
	members  int // of the flow that were looked at
	received int // in the view, when last looked
	spans    []trace.Node
	origin   bool // it was known
	// originNew: the origin is what this evaluation learned; lastNews is the member
	// that arrived last before it.
	originNew bool
	lastNews  trace.Node
	response  bool
	judged    trace.Flow // the last one
	// pretending: the flow is taken for open or closed, which it is not.
	pretending bool
	// published are the sets as they are, pretended as they would be then; nil until
	// somebody asks.
	published, pretended []lang.SetState
	services             services
	filed                map[string][]trace.Node // new spans by service, while sets are filled
	required             Grade                   // see Require
}

// checkState is how far one assertion has come.
type checkState struct {
	*check
	decided bool
	// stale: something that it reads has changed since it was evaluated.
	stale bool
	// What the closures of that and of when remember.
	tallies, guardTallies []lang.Tally
	// steps is what the last evaluation cost, spent what all of them did, and spans how
	// many spans there were then.
	steps, spent, spans int
	doubt               string // why an absence that it rests on is not proved
}

// Response is what the trigger of a flow was answered.
type Response struct {
	Status   int
	Headers  map[string]string // by name in lower case
	Body     []byte            // parsed where it is JSON
	Duration time.Duration
}

func newInstance(f *Flow) *Instance {
	in := &Instance{flow: f, frame: &lang.Frame{Open: true, Origin: trace.None}, services: services{}, filed: map[string][]trace.Node{}}
	for _, s := range f.plan.sets {
		in.sets = append(in.sets, &tracker{plan: s})
	}
	in.published = make([]lang.SetState, len(in.sets))
	in.frame.Sets = in.published
	for _, k := range f.plan.checks {
		s := &checkState{check: k, stale: true, tallies: make([]lang.Tally, k.that.Program().Tallies)}
		if k.when != nil {
			s.guardTallies = make([]lang.Tally, k.when.Program().Tallies)
		}
		in.states = append(in.states, s)
	}
	return in
}

// SetResponse makes the trigger's answer known; until then whatever reads
// response is undecided. It is called at most once.
func (in *Instance) SetResponse(r Response) {
	in.response = true
	in.frame.Response = &lang.Response{Status: r.Status, Headers: r.Headers, Duration: r.Duration, Body: lang.Body(r.Body)}
}

// Done reports whether every assertion is decided.
func (in *Instance) Done() bool {
	for _, s := range in.states {
		if !s.decided {
			return false
		}
	}
	return true
}

// Revise judges a closed flow from the beginning and returns the verdicts that
// differ from those given, as when a span arrived late.
func (in *Instance) Revise(f trace.Flow, given []Verdict) []Verdict {
	again := newInstance(in.flow)
	again.frame.Response, again.response, again.required = in.frame.Response, in.response, in.required
	old := map[*Assertion]Outcome{}
	for _, v := range given {
		old[v.Assertion] = v.Outcome
	}
	var out []Verdict
	for _, v := range again.Evaluate(f) {
		if before, ok := old[v.Assertion]; !ok || before != v.Outcome {
			v.Evidence.Notes = append(v.Evidence.Notes, in.late(f))
			out = append(out, v)
		}
	}
	return out
}

// late says by how much spans missed the closing of the flow, and which setting
// would have waited for them.
func (in *Instance) late(f trace.Flow) string {
	last, closed := trace.None, in.judged.Now()
	for i := in.judged.Len(); i < f.Len(); i++ {
		if n := f.Member(i); last == trace.None || f.ReceivedAt(n) > f.ReceivedAt(last) {
			last = n
		}
	}
	if last == trace.None {
		return "Judged again after it had closed: what is known of its spans has changed."
	}
	by := f.ReceivedAt(last).Sub(closed)
	text := fmt.Sprintf("Judged again: %s/%s arrived %s after the flow had closed (%s).",
		clone(f.Span(last).Service()), clone(f.Span(last).Name()), lang.FormatDuration(by), in.judged.Reason())
	switch t := in.flow.Timing; in.judged.Reason() {
	case trace.BySilence:
		text += fmt.Sprintf(" timing.quiet: %s would have waited for it.", lang.FormatDuration(roundUp(t.Quiet+by)))
	case trace.ByDeadline:
		text += fmt.Sprintf(" timing.deadline: %s would have waited for it.", lang.FormatDuration(roundUp(t.Deadline+by)))
	}
	return text
}

// roundUp makes a duration of two digits that is longer by a tenth at least.
func roundUp(d time.Duration) time.Duration {
	step := time.Millisecond
	for d/step >= 100 {
		step *= 10
	}
	return (d + d/10 + step).Truncate(step)
}

// knownServices are all of which spans were received.
func (in *Instance) knownServices() (out []string) {
	in.services.has(in.frame.View, "")
	for name := range in.services.names {
		out = append(out, clone(name))
	}
	slices.Sort(out)
	return out
}

// services are those of which spans were received.
type services struct {
	names map[string]bool
	upTo  int
}

// has looks at what was received since it was last asked.
func (s *services) has(v trace.View, name string) bool {
	if s.names == nil {
		s.names = map[string]bool{}
	}
	for ; s.upTo < v.Received(); s.upTo++ {
		s.names[v.Span(trace.Node(s.upTo)).Service()] = true
	}
	return s.names[name]
}
