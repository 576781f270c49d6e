package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// DefaultCommandTimeout leaves time for a command that compiles itself first.
const DefaultCommandTimeout = time.Minute

// CommandAction runs a command to its end. It finds the trace to continue in
// TRACEPARENT and BAGGAGE of its environment.
type CommandAction struct {
	Command Command
	Timeout time.Duration // until it has ended; 0 is DefaultCommandTimeout
	Clock   Clock
}

// String returns the command line.
func (a *CommandAction) String() string { return a.Command.String() }

// Do runs the command. Its error is a *StartError if it could not be started,
// else an *ActionError.
func (a *CommandAction) Do(ctx context.Context, t TraceContext) Performed {
	p := Performed{Span: ownSpan(t, a.program(), textAttr("process.executable.name", a.program())), ExitCode: -1}
	command := a.Command
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = withTrace(command.Env, t)
	began := a.Clock.Now()
	p.Span.Start = trace.TimeOf(began)
	child, err := StartChild(command, a.Clock)
	if err == nil {
		err = a.await(ctx, child)
		exit := child.Wait()
		p.ExitCode, p.Disorderly = exit.Code, !exit.Orderly
		p.Span.Attrs = append(p.Span.Attrs, intAttr("process.pid", child.cmd.Process.Pid))
		if p.ExitCode >= 0 {
			p.Span.Attrs = append(p.Span.Attrs, intAttr("process.exit.code", p.ExitCode))
		}
		if err != nil {
			p.Output = child.Tail()
		}
	}
	p.Span.End = p.Span.Start.Add(a.Clock.Now().Sub(began))
	if err != nil {
		p.Err = err
		failSpan(&p.Span, classOf(err), err.Error())
	}
	return p
}

// program names the span: conventions ask for the name of the executable, which
// for a shell line says nothing, so the line's first word stands for it.
func (a *CommandAction) program() string {
	if words := strings.Fields(a.Command.Shell); len(words) > 0 {
		return words[0]
	}
	if len(a.Command.Argv) > 0 {
		return filepath.Base(a.Command.Argv[0])
	}
	return "command"
}

// await returns nil if the command exited with 0.
func (a *CommandAction) await(ctx context.Context, child *Child) error {
	limit := cmp.Or(a.Timeout, DefaultCommandTimeout)
	ctx, cancel := withTimeout(ctx, a.Clock, limit)
	defer cancel()
	select {
	case <-child.Done():
	case <-ctx.Done():
		child.Stop()
	}
	switch exit := child.Wait(); {
	case exit.Stopped && errors.Is(context.Cause(ctx), errTimeUp):
		return &ActionError{Class: "timeout", What: fmt.Sprintf("did not end within %v", limit)}
	case exit.Stopped:
		return &ActionError{Class: "interrupted", What: "was interrupted"}
	case exit.Signal != "":
		return &ActionError{Class: "signal", What: exit.String()}
	case exit.Code != 0:
		return &ActionError{Class: "exit_code", What: exit.String()}
	}
	return nil
}

func classOf(err error) string {
	var e *ActionError
	if errors.As(err, &e) {
		return e.Class
	}
	return "start"
}
