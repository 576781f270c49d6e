package assertions

import (
	"fmt"
	"time"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// Instance judges one time that a flow happened. It is used by one goroutine at
// a time; several instances of one suite may be used at once.
type Instance struct {
	flow     *Flow
	required Grade      // see Require
	judged   trace.Flow // the last one
	*judging            // nil once it was released
	released *released  // nil before that
}

// judging is what an instance knows while it judges.
type judging struct {
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
	// pretending: the flow is taken for open or closed, which it is not.
	pretending bool
	// published are the sets as they are, pretended as they would be then; nil until
	// somebody asks.
	published, pretended []lang.SetState
	filed                map[string][]trace.Node // new spans by service, while sets are filled
	missed               bool                    // a span was evicted before its service was looked at
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
	in := &Instance{flow: f, judging: &judging{frame: &lang.Frame{Open: true, Origin: trace.None}, filed: map[string][]trace.Node{}}}
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
	response := &lang.Response{Status: r.Status, Headers: r.Headers, Duration: r.Duration, Body: lang.Body(r.Body)}
	if in.released != nil {
		in.released.response, in.released.answered = response, true
		return
	}
	in.frame.Response, in.response = response, true
}

// Done reports whether every assertion is decided.
func (in *Instance) Done() bool {
	if in.released != nil {
		return true
	}
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
	again := in.anew()
	old := map[*Assertion]Outcome{}
	for _, v := range given {
		old[v.Assertion] = v.Outcome
	}
	var out []Verdict
	for _, v := range again.Evaluate(f) {
		if before, ok := old[v.Assertion]; !ok || before != v.Outcome {
			e := v.explained()
			e.Notes = append(e.Notes, in.late(f))
			out = append(out, v)
		}
	}
	in.become(again)
	return out
}

// become takes over what another instance found about a later state of the flow.
func (in *Instance) become(again *Instance) {
	released := in.released != nil
	*in = *again
	if released {
		in.Release(in.judged)
	}
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
