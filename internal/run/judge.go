package run

import (
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/trace"
)

// runner is the state of a run. All of it belongs to the goroutine of Run, except
// where a field says otherwise.
type runner struct {
	Settings
	do         chan func()   // what other goroutines want done with the state
	scriptDone chan struct{} // nothing new will be started
	system     *RunningSystem
	disorder   bool // a child but the system did not end in good order; read after scriptDone only

	declared    map[string]declared // by the name that the store knows
	started     time.Time
	builder     trace.Builder // of the script's goroutine
	byRecord    map[*trace.FlowRecord]*judged
	answers     map[trace.TraceID]answer // of triggers
	steps       []Step
	acted       bool // system, triggers and command have done what they do
	actedAt     time.Time
	systemEnded bool
	interrupted bool
	deadline    bool      // some flow had to be closed at its deadline
	ordered     []*judged // see inOrder; set once nothing changes any more
	recorded    bool      // the spans come from a recording, at no time of their own
	replayed    bool      // a journal says what to do to the store
}

// declared is a flow of an input.
type declared struct {
	input int
	flow  string
}

// judged is one instance of a flow and what was found about it.
type judged struct {
	input    int
	flow     string
	instance *assertions.Instance
	latest   trace.Flow
	verdicts []assertions.Verdict
	final    bool
	// ready: it could close, but for a proof that only the end of the system brings.
	ready bool
	// invariant: it waits for nothing that is not on its way.
	invariant bool
	across    bool // the flow is looked at again, whole, with its other instances
	hopeless  bool // nothing more will come: it closes as soon as it is complete
	began     trace.Time
	backwards contradictions
}

// answer is what came of a trigger.
type answer struct {
	response *assertions.Response // nil if there was none
	hopeless bool
}

// hear takes in what came of the instance's trigger.
func (j *judged) hear(a answer) {
	j.hopeless = a.hopeless
	if a.response != nil {
		j.instance.SetResponse(*a.response)
	}
}

func newRunner(s Settings) *runner {
	if s.Clock == nil {
		s.Clock = SystemClock{}
	}
	r := &runner{
		Settings: s, do: make(chan func()), scriptDone: make(chan struct{}),
		started: s.Clock.Now(), byRecord: map[*trace.FlowRecord]*judged{},
		answers: map[trace.TraceID]answer{}, declared: map[string]declared{},
	}
	for i, in := range s.Inputs {
		for _, f := range in.Suite.Flows() {
			if in.selects(f.Name) {
				r.declared[key(s.Inputs, i, f.Name)] = declared{i, f.Name}
			}
		}
	}
	return r
}

func (r *runner) judgedOf(f trace.Flow) *judged {
	j := r.byRecord[f.FlowRecord]
	if j == nil {
		d := r.declared[f.Declaration]
		j = &judged{input: d.input, flow: d.flow}
		flow := r.Inputs[d.input].Suite.Flow(d.flow)
		j.across, j.invariant = len(flow.Across) > 0, flow.IsInvariant()
		r.begin(j, f)
		r.byRecord[f.FlowRecord] = j
	}
	return j
}

// begin lets an instance be judged from the beginning.
func (r *runner) begin(j *judged, f trace.Flow) {
	j.instance, j.verdicts = r.Inputs[j.input].Suite.Open(j.flow), nil
	j.instance.Require(r.Require)
	j.hear(r.answers[f.TraceID])
}

// judge looks at a flow that changed, and closes it once nothing more can or
// need be known.
func (r *runner) judge(f trace.Flow) {
	r.Journal.add(Entry{Do: doJudge, Number: f.Number()})
	if f.State() == trace.Retracted {
		delete(r.byRecord, f.FlowRecord)
		return
	}
	if r.recorded && f.State() != trace.Closed {
		return // There is nobody to tell yet.
	}
	j := r.judgedOf(f)
	if j.final {
		r.revise(j, f)
		r.release(j)
		return
	}
	if f.Moves() != j.latest.Moves() {
		r.begin(j, f) // Something that was certain may not be.
	}
	j.latest, j.ready = f, false
	j.verdicts = append(j.verdicts, j.instance.Evaluate(f)...)
	switch {
	case f.State() == trace.Closed:
		r.deadline = r.deadline || f.Reason() == trace.ByDeadline
		j.final = true
		r.release(j)
	case j.instance.Done() && !j.across:
		r.close(j, trace.ByVerdicts)
	case f.State() == trace.Complete && (j.hopeless || r.systemEnded || len(j.instance.Awaiting()) == 0):
		r.closeComplete(j)
	}
}

// closeComplete closes a flow that waits for nothing, unless silence is not enough.
func (r *runner) closeComplete(j *judged) {
	switch {
	case j.latest.Reason() == trace.ByWatermarks:
		r.close(j, trace.ByWatermarks)
	case r.Require == assertions.Proved:
		j.ready = true
	default:
		r.close(j, trace.BySilence)
	}
}

func (r *runner) close(j *judged, why trace.Reason) {
	j.latest = j.latest.WithState(trace.Closed, why)
	j.verdicts = append(j.verdicts, j.instance.Evaluate(j.latest)...)
	j.final = true
	if !r.replayed {
		r.Store.CloseFlow(j.latest, why)
	}
	r.release(j)
}

// pollEvery is how often the run looks at what no event announces.
const pollEvery = 100 * time.Millisecond

// over reports whether nothing is left to wait for, or else when to look again.
func (r *runner) over() (bool, time.Duration) {
	if !r.acted {
		return false, pollEvery
	}
	for _, s := range r.steps {
		if s.CannotRun() {
			return true, 0
		}
	}
	for _, j := range r.byRecord {
		if !j.final && !j.ready && (!j.invariant || j.latest.State() == trace.Open && r.Store.SilentIn() > 0) {
			return false, pollEvery
		}
	}
	left := r.mayBegin()
	return left <= 0, max(0, min(left, pollEvery))
}

// mayBegin is for how long a flow is awaited that has not begun. What the command caused
// may still be on its way; a flow that must happen is awaited until a silence if something
// was done to make it happen, else until the deadline.
func (r *runner) mayBegin() time.Duration {
	arrived, silent := time.Duration(0), r.longestDeadline()
	if r.Command != nil {
		arrived = r.Store.ArrivedIn(r.actedAt)
	}
	if r.Command != nil || r.systemEnded {
		silent = max(arrived, r.Store.SilentIn())
	}
	if !r.misses() {
		return arrived
	}
	return min(silent, r.longestDeadline()-r.Clock.Now().Sub(r.actedAt))
}

// misses reports whether some flow happened less often than it must.
func (r *runner) misses() bool {
	for i, in := range r.Inputs {
		for _, flow := range in.Suite.File().Flows {
			if in.selects(flow.Name) && flow.Trigger == nil && r.instances(i, flow.Name) < flow.Runs.Min {
				return true
			}
		}
	}
	return false
}

func (r *runner) instances(input int, flow string) (n int) {
	for _, j := range r.byRecord {
		if j.input == input && j.flow == flow {
			n++
		}
	}
	return n
}

func (r *runner) longestDeadline() time.Duration {
	longest := time.Duration(0)
	for _, in := range r.Inputs {
		for _, flow := range in.Suite.File().Flows {
			longest = max(longest, flow.Timing.OrDefaults().Deadline)
		}
	}
	return longest
}

func (r *runner) tellWaiting() {
	if r.Events == nil || !r.acted && len(r.byRecord) == 0 {
		return
	}
	w := &Waiting{Elapsed: r.Clock.Now().Sub(r.started)}
	for _, j := range r.inOrder() {
		w.Spans += j.latest.Len()
		if !j.final {
			w.Awaiting = append(w.Awaiting, j.instance.Awaiting()...)
		}
	}
	r.Events(Event{Waiting: w})
}
