package run

import (
	"errors"
	"fmt"
	"io"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// ReplaySettings of a replay. What they share with the [Settings] and the store of
// the run must be the same as there.
type ReplaySettings struct {
	Inputs  []Input
	Store   *store.Store // made with Memberships(Inputs), large enough, without a journal
	Require assertions.Grade
	// Next returns the entries of the journal one by one, then io.EOF.
	Next func() (Entry, error)
}

// Replay judges again what a journal tells of a run. A journal that ends before the
// run did tells of one that was interrupted. The error is one of Next, or says that
// the journal is of another run, or of another version of followspan.
func Replay(s ReplaySettings) (*Result, error) {
	p := &replay{runner: newRunner(Settings{Inputs: s.Inputs, Store: s.Store, Require: s.Require})}
	p.replayed = true
	for p.end == nil {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return p.cutShort(), nil
		}
		if err == nil {
			err = p.do(&e)
		}
		if err != nil {
			return nil, err
		}
	}
	r := p.result()
	r.Started, r.Duration, r.Ended = p.end.Started, p.end.Duration, p.end.Ended
	r.Steps, r.Received.Refused = p.end.Steps, p.end.Refused
	return r, nil
}

// replay is a run while it is judged again.
type replay struct {
	*runner
	handed   []trace.Flow // out, and not judged yet
	expected []trace.Flow // and not awaited yet
	end      *Ending
}

// errDiverged is a journal that does not fit.
var errDiverged = errors.New("the spans lead to other flows than they did in the run: was it another version of followspan?")

func (p *replay) do(e *Entry) error {
	if op, ok, err := e.op(); ok || err != nil {
		if err != nil {
			return err
		}
		return p.replayOp(op)
	}
	switch e.Do {
	case doAwait:
		f, err := take(&p.expected, e.Number)
		if err != nil {
			return err
		}
		p.await(f)
	case doJudge:
		f, err := take(&p.handed, e.Number)
		if err != nil {
			return err
		}
		p.judge(f)
	case doAnswer:
		id, err := e.traceID()
		if err != nil {
			return err
		}
		p.answered(id, answer{e.Response, e.Hopeless})
	case doSystem:
		p.systemEnded = true
	case doEnd:
		if e.End == nil {
			return errors.New("an end that says nothing")
		}
		p.end = e.End
	default:
		return fmt.Errorf("%q is nothing that this version of followspan knows", e.Do)
	}
	return nil
}

func (p *replay) replayOp(op store.Op) error {
	f, err := p.Store.Replay(op)
	switch {
	case err != nil:
		return err
	case op.Kind == store.OpExpect:
		p.expected = append(p.expected, f)
	case op.Kind == store.OpNext && op.Handed == f.IsZero():
		return errDiverged
	case op.Handed:
		p.handed = append(p.handed, f)
	}
	return nil
}

// take removes the first flow, which must have this number.
func take(flows *[]trace.Flow, number uint32) (trace.Flow, error) {
	if len(*flows) == 0 || (*flows)[0].Number() != number {
		return trace.Flow{}, errDiverged
	}
	f := (*flows)[0]
	*flows = (*flows)[1:]
	return f, nil
}

// cutShort judges what there is of a run that did not come to its end.
func (p *replay) cutShort() *Result {
	p.replayed, p.interrupted = false, true
	for _, f := range p.handed {
		p.judge(f)
	}
	p.Store.Close(trace.ByEndOfRecording)
	p.judgeRest()
	return p.result()
}
