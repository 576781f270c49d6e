package run

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// System says how to start the system under test. Command.Lines gets what it
// prints, also while it starts.
type System struct {
	Command Command
	Ready   Ready
	Timeout time.Duration // until it is ready, at most
}

// Ready says how to see that a system can be used. Whatever is set must hold; if
// nothing is, a system is ready once it was started.
type Ready struct {
	Output *regexp.Regexp // matches a line that the system prints; its named groups become params
	TCP    string         // an address, host:port, that accepts connections
	HTTP   string         // a URL that answers with a status below 500
}

// RunningSystem is a system that was started.
type RunningSystem struct {
	*Child
	system  System
	matched chan map[string]string
	unready error // why AwaitReady failed
}

// Start starts the system; it need not be ready yet. The caller must call Stop.
// The error is a *StartError.
func (s System) Start(clock Clock) (*RunningSystem, error) {
	r := &RunningSystem{system: s, matched: make(chan map[string]string, 1)}
	command := s.Command
	if s.Ready.Output != nil {
		command.Lines = r.match(command.Lines)
	}
	child, err := StartChild(command, clock)
	if err != nil {
		return nil, err
	}
	r.Child = child
	return r, nil
}

// match looks for the first line that Ready.Output matches, and passes all lines on.
func (r *RunningSystem) match(pass func(string)) func(string) {
	found := false
	return func(line string) {
		if pass != nil {
			pass(line)
		}
		if found {
			return
		}
		if m := r.system.Ready.Output.FindStringSubmatch(line); m != nil {
			found = true
			r.matched <- groups(r.system.Ready.Output, m)
		}
	}
}

func groups(re *regexp.Regexp, match []string) map[string]string {
	params := map[string]string{}
	for i, name := range re.SubexpNames() {
		if name != "" {
			params[name] = match[i]
		}
	}
	return params
}

// AwaitReady returns the params of Ready.Output once the system can be used. It
// is called at most once, and fails if the system ends first, if the time runs
// out, or if ctx ends; the caller then still has to call Stop.
func (r *RunningSystem) AwaitReady(ctx context.Context) (params map[string]string, err error) {
	waiting, cancel := withTimeout(ctx, r.clock, r.system.Timeout)
	defer cancel()
	go func() {
		select {
		case <-r.Done():
			cancel()
		case <-waiting.Done():
		}
	}()
	params, err = r.probe(waiting)
	switch {
	case r.ended():
		r.unready = errors.New(r.endedEarly())
	case err == nil:
	case ctx.Err() != nil:
		r.unready = fmt.Errorf("was interrupted before it was ready: %w", context.Cause(ctx))
	case errors.Is(context.Cause(waiting), errTimeUp):
		r.unready = fmt.Errorf("was not ready within %v (system.start): %w", r.system.Timeout, err)
	default:
		r.unready = err
	}
	if r.unready != nil {
		return nil, r.unready
	}
	return params, nil
}

func (r *RunningSystem) ended() bool {
	select {
	case <-r.Done():
		return true
	default:
		return false
	}
}

func (r *RunningSystem) endedEarly() string {
	what := r.Wait().String() + " before it was ready"
	if r.Wait().Code == 0 {
		what += "; it must run in the foreground until it is stopped"
	}
	return what
}

// probe returns the params once everything in Ready holds; else what did not.
func (r *RunningSystem) probe(ctx context.Context) (params map[string]string, err error) {
	ready := r.system.Ready
	if ready.Output != nil {
		select {
		case params = <-r.matched:
		case <-ctx.Done():
			return nil, fmt.Errorf("it printed no line that matches %q", ready.Output)
		}
	}
	if ready.TCP != "" {
		if err := retry(ctx, r.clock, tcpProbe(ready.TCP)); err != nil {
			return nil, err
		}
	}
	if ready.HTTP != "" {
		if err := retry(ctx, r.clock, httpProbe(ready.HTTP)); err != nil {
			return nil, err
		}
	}
	return params, nil
}

// Step waits for the end of the system and says what became of it. It went well
// if it was ready and then ran until it was stopped.
func (r *RunningSystem) Step() Step {
	s := r.Child.Step(StepSystem)
	switch exit := r.Wait(); {
	case r.unready != nil:
		s.Err = r.unready.Error()
	case !exit.Stopped:
		s.Err = exit.String() + " before the run was over"
	}
	if s.Err != "" {
		s.Output = r.Tail()
	}
	return s
}
