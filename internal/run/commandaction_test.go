package run

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/trace"
)

func TestCommandActionContinuesTheTrace(t *testing.T) {
	command := playing("env")
	command.Env = append(command.Env, "TRACEPARENT=mine", "TRACESTATE=mine")
	var got []string
	command.Lines = func(line string) { got = append(got, line) }
	a := &CommandAction{Command: command, Clock: SystemClock{}}
	p := a.Do(t.Context(), testContext())
	if p.Err != nil || p.ExitCode != 0 || p.Response != nil || p.Span.Status != trace.Unset {
		t.Errorf("%+v", p)
	}
	for _, want := range []string{"TRACEPARENT=" + testTraceparent, "BAGGAGE=followspan.run.id=r1"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if strings.Contains(strings.Join(got, "\n"), "mine") {
		t.Errorf("the trace of another in %q", got)
	}
	if p.Span.Start == 0 || p.Span.End < p.Span.Start {
		t.Errorf("span from %v to %v", p.Span.Start, p.Span.End)
	}
}

func TestCommandActionInheritsTheEnvironment(t *testing.T) {
	needShell(t)
	t.Setenv("FOLLOWSPAN_TEST_VALUE", "inherited")
	a := &CommandAction{Command: Command{Shell: `test "$FOLLOWSPAN_TEST_VALUE" = inherited`}, Clock: SystemClock{}}
	if p := a.Do(t.Context(), testContext()); p.Err != nil {
		t.Error(p.Err)
	}
}

func TestCommandActionFails(t *testing.T) {
	needShell(t)
	for _, test := range []struct {
		command     Command
		err         string
		code        int
		output      []string
		name, class string
	}{
		{Command{Shell: "echo no stock >&2; exit 3"}, "exited with code 3", 3, []string{"no stock"}, "echo", "exit_code"},
		{Command{Argv: []string{"sh", "-c", "kill -KILL $$"}}, "was ended by a signal: killed", -1, nil, "sh", "signal"},
		{Command{Argv: []string{"bin/no-such-program"}}, `cannot start "bin/no-such-program": no such file: bin/no-such-program (check the path; a relative one is relative to dir, else to the flow file)`, -1, nil, "no-such-program", "start"},
	} {
		a := &CommandAction{Command: test.command, Clock: SystemClock{}}
		p := a.Do(t.Context(), testContext())
		want := Step{Kind: StepTrigger, Name: test.command.String(), Duration: p.Span.End.Sub(p.Span.Start), Err: test.err, ExitCode: test.code, Output: test.output}
		if diff := cmp.Diff(want, p.Step(a)); diff != "" {
			t.Errorf("%v: step (-want +got):\n%s", a, diff)
		}
		if p.Span.Name != test.name || p.Span.Status != trace.Error || !strings.Contains(spanText(p.Span), `error.type="`+test.class+`"`) {
			t.Errorf("%v: span %s", a, spanText(p.Span))
		}
	}
}

func TestCommandActionTimesOut(t *testing.T) {
	clock := newHandClock()
	a := &CommandAction{Command: playing("reader"), Timeout: time.Hour, Clock: clock}
	go func() {
		clock.expect(time.Hour)
		clock.pass(time.Hour)
	}()
	p := a.Do(t.Context(), testContext())
	if p.Err == nil || p.Err.Error() != "did not end within 1h0m0s" || p.ExitCode != -1 {
		t.Errorf("%+v", p)
	}
}

func TestCommandActionIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	command := playing("reader")
	command.Lines = func(string) { cancel() }
	p := (&CommandAction{Command: command, Clock: newHandClock()}).Do(ctx, testContext())
	if p.Err == nil || p.Err.Error() != "was interrupted" {
		t.Errorf("%+v", p)
	}
}
