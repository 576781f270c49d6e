package run

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// script makes things happen: the system, then the triggers one after another,
// then the command under test. It runs beside the judging and hands over what
// changes the runner's state as functions.
func (r *runner) script(ctx context.Context) {
	defer close(r.scriptDone)
	captured, ok := r.startSystem(ctx)
	if ok {
		r.pullTriggers(ctx, captured)
		r.runCommand(ctx)
	}
	r.do <- func() {
		r.acted = true
		r.actedAt = r.Clock.Now()
	}
}

// declaredSystem returns the system of the inputs; several files declare the same
// or none.
func (r *runner) declaredSystem() (*assertions.System, *assertions.File) {
	for _, in := range r.Inputs {
		if f := in.Suite.File(); f.System != nil {
			return f.System, f
		}
	}
	return nil, nil
}

// startSystem reports false if the system is declared and cannot be used.
func (r *runner) startSystem(ctx context.Context) (captured map[string]string, ok bool) {
	declared, file := r.declaredSystem()
	if declared == nil {
		return nil, true
	}
	command := r.command(declared.Command, file, nil)
	command.Grace = declared.Stop
	command.Lines = func(line string) { r.tell(Event{Line: line}) }
	r.tell(Event{Started: "system: " + command.String()})
	system := System{Command: command, Timeout: declared.Start}
	if d := declared.Ready; d != nil {
		system.Ready = Ready{Output: d.Output, TCP: d.TCP.Expand(nil), HTTP: d.HTTP.Expand(nil)}
	}
	running, err := system.Start(r.Clock)
	if err != nil {
		r.stepped(Step{Kind: StepSystem, Name: command.String(), Err: err.Error(), ExitCode: -1})
		return nil, false
	}
	r.system = running // read after scriptDone only
	captured, err = running.AwaitReady(ctx)
	if err != nil {
		running.Stop()
		if ctx.Err() == nil {
			r.stepped(running.Step())
		}
		return nil, false
	}
	go func() {
		<-running.Done()
		select {
		case r.do <- func() { r.noteSystemEnd() }:
		case <-ctx.Done():
		}
	}()
	return captured, true
}

func (r *runner) pullTriggers(ctx context.Context, captured map[string]string) {
	for i, in := range r.Inputs {
		file := in.Suite.File()
		for _, flow := range file.Flows {
			if flow.Trigger == nil || !in.selects(flow.Name) {
				continue
			}
			for range max(1, flow.Trigger.Repeat) {
				if ctx.Err() != nil {
					return
				}
				r.pull(ctx, key(r.Inputs, i, flow.Name), r.action(flow.Trigger, file, captured))
			}
		}
	}
}

// pull performs one trigger and hands over what came of it.
func (r *runner) pull(ctx context.Context, key string, a Action) {
	tc, err := NewTraceContext(r.Random, r.Context.RunID)
	if err == nil {
		var f trace.Flow
		if f, err = r.Store.Expect(key, tc.TraceID, tc.SpanID); err == nil {
			r.do <- func() { r.await(f) }
			r.tell(Event{Started: "trigger: " + a.String()})
			performed := a.Do(ctx, tc)
			r.disorder = r.disorder || performed.Disorderly
			r.do <- func() { r.triggered(f, a, performed) }
			if err := r.keep(ctx, performed.Span); err != nil {
				r.stepped(Step{Kind: StepTrigger, Name: a.String(), Err: "keep the trigger's own span: " + err.Error(), ExitCode: -1})
			}
			return
		}
	}
	r.stepped(Step{Kind: StepTrigger, Name: a.String(), Err: err.Error(), ExitCode: -1})
}

func (r *runner) runCommand(ctx context.Context) {
	if r.Command == nil || ctx.Err() != nil {
		return
	}
	command := *r.Command
	t := r.Telemetry
	t.Trace = r.Context
	var warnings []string
	command.Env, warnings = ChildEnv(r.Inherited, command.Env, t)
	for _, w := range warnings {
		r.tell(Event{Hint: w})
	}
	r.tell(Event{Started: "command: " + command.String()})
	child, err := StartChild(command, r.Clock)
	if err != nil {
		r.stepped(Step{Kind: StepCommand, Name: command.String(), Err: err.Error(), ExitCode: -1})
		return
	}
	select {
	case <-child.Done():
	case <-ctx.Done():
		child.Stop()
	}
	r.disorder = r.disorder || !child.Wait().Orderly
	r.stepped(child.Step(StepCommand))
}

// stepped records a step.
func (r *runner) stepped(s Step) {
	r.do <- func() { r.steps = append(r.steps, s) }
}

func (r *runner) tell(e Event) {
	if r.Events != nil {
		r.do <- func() { r.Events(e) }
	}
}

// triggered books the outcome of a trigger.
func (r *runner) triggered(f trace.Flow, a Action, p Performed) {
	r.steps = append(r.steps, p.Step(a))
	heard := answer{hopeless: neverBegan(p.Err)}
	if p.Response != nil {
		heard.response = &assertions.Response{
			Status: p.Response.Status, Headers: flat(p.Response.Header), Body: p.Response.Body, Duration: p.Response.Duration,
		}
	}
	r.answered(f.TraceID, heard)
}

// retryAfter is when a trigger's own span is sent again for which there was no memory.
const retryAfter = 100 * time.Millisecond

// keep sends a trigger's own span, which closes the flow's root, like any exporter: until
// there is memory for it, at the latest when the flows that take it reach their deadlines.
func (r *runner) keep(ctx context.Context, span trace.SpanData) error {
	r.builder.SetResource(r.Own)
	r.builder.Add(&span)
	batch := trace.Batch{Spans: r.builder.Commit(), Sender: "followspan"}
	for left := r.longestDeadline(); ; left -= retryAfter {
		err := r.Store.Consume(ctx, batch)
		if !errors.Is(err, store.ErrFull) || left < 0 || !pause(r.Clock, retryAfter, ctx.Done()) {
			return err
		}
	}
}

// await waits for a flow from now on, whenever its first span arrives.
func (r *runner) await(f trace.Flow) {
	r.Journal.add(Entry{Do: doAwait, Number: f.Number()})
	r.judgedOf(f).latest = f
}

// answered tells the flow of a trace what its trigger was answered.
func (r *runner) answered(id trace.TraceID, a answer) {
	r.Journal.add(Entry{Do: doAnswer, TraceID: id.String(), Hopeless: a.hopeless, Response: a.response})
	r.answers[id] = a
	for record, j := range r.byRecord {
		if record.Triggered && record.TraceID == id {
			j.hear(a)
		}
	}
}

// noteSystemEnd closes what waited for nothing but a span that will not come any more.
func (r *runner) noteSystemEnd() {
	r.Journal.add(Entry{Do: doSystem})
	r.systemEnded = true
	for _, j := range r.inOrder() {
		if !j.final && j.latest.State() == trace.Complete {
			r.closeComplete(j)
		}
	}
}

// neverBegan reports whether a trigger failed before the system could notice it,
// so that no span of the flow is to be awaited.
func neverBegan(err error) bool {
	var start *StartError
	var action *ActionError
	switch {
	case errors.As(err, &start):
		return true
	case errors.As(err, &action):
		return slices.Contains([]string{"invalid_request", "name_resolution", "connection_refused", "connect", "tls", "start"}, action.Class)
	}
	return false
}

func flat(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		out[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return out
}

// command turns a declared command into one that can be started.
func (r *runner) command(d assertions.Command, file *assertions.File, captured map[string]string) Command {
	c := Command{Shell: d.Shell.Expand(captured), Dir: file.Path(d.Dir.Expand(captured))}
	for _, arg := range d.Argv {
		c.Argv = append(c.Argv, arg.Expand(captured))
	}
	var declared []string
	for _, v := range d.Env {
		declared = append(declared, v.Name+"="+v.Value.Expand(captured))
	}
	var warnings []string
	c.Env, warnings = ChildEnv(r.Inherited, declared, r.Telemetry)
	for _, w := range warnings {
		r.tell(Event{Hint: w})
	}
	return c
}

// action turns a declared trigger into one that can be pulled.
func (r *runner) action(t *assertions.Trigger, file *assertions.File, captured map[string]string) Action {
	if c := t.Command; c != nil {
		return &CommandAction{Command: r.command(c.Command, file, captured), Timeout: c.Timeout, Clock: r.Clock}
	}
	if g := t.GRPC; g != nil {
		return r.GRPC(r.grpcCall(g, file, captured))
	}
	h := t.HTTP
	a := &HTTPAction{
		Method: h.Method.Expand(captured), URL: h.URL.Expand(captured), Header: http.Header{},
		Timeout: h.Timeout, Clock: r.Clock,
	}
	for _, v := range h.Headers {
		a.Header.Add(v.Name, v.Value.Expand(captured))
	}
	switch {
	case h.JSON != nil:
		a.Body = h.JSON.Encode(captured)
		if a.Header.Get("Content-Type") == "" {
			a.Header.Set("Content-Type", "application/json")
		}
	case !h.Body.IsZero():
		a.Body = []byte(h.Body.Expand(captured))
	}
	return a
}
