package run

import (
	"context"
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
	Store   *store.Store // made with Memberships(Inputs), without a journal
	Require assertions.Grade
	// Loose goes by what arrived alone, and closes every flow in the end. It is for
	// the journals of versions that closed flows otherwise.
	Loose bool
	// Next returns the entries of the journal one by one, then io.EOF.
	Next func() (Entry, error)
}

// Replay judges again what a journal tells of a run. A journal that ends before the
// run did tells of one that was interrupted, and what it would have told is a loss to
// the flows that were open. The error is one of Next, [ErrDiverged],
// or says that the journal is none.
func Replay(s ReplaySettings) (*Result, error) {
	p := &replay{runner: newRunner(Settings{Inputs: s.Inputs, Store: s.Store, Require: s.Require})}
	p.replayed, p.loose = true, s.Loose
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
	if p.loose {
		p.closeAll(trace.ByEndOfRun)
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
	loose    bool
}

// ErrDiverged is a journal that does not fit: the spans lead to other flows, or at
// other moments, than they did in the run.
var ErrDiverged = errors.New("the spans lead to other flows than they did in the run: was it another version of followspan?")

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
		if p.loose {
			return nil
		}
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
		p.noteSystemEnd()
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
	if p.loose && (op.Kind == store.OpNext || op.Kind == store.OpCloseFlow || op.Kind == store.OpClose) {
		return nil
	}
	f, err := p.Store.Replay(op)
	switch {
	case err != nil:
		return err
	case op.Kind == store.OpExpect:
		p.expected = append(p.expected, f)
	case op.Kind == store.OpNext && op.Handed == f.IsZero():
		return ErrDiverged
	case op.Handed:
		p.handed = append(p.handed, f)
	}
	return nil
}

// take removes the first flow, which must have this number.
func take(flows *[]trace.Flow, number uint32) (trace.Flow, error) {
	if len(*flows) == 0 || (*flows)[0].Number() != number {
		return trace.Flow{}, ErrDiverged
	}
	f := (*flows)[0]
	*flows = (*flows)[1:]
	return f, nil
}

// cutShort judges what there is of a run that did not come to its end.
func (p *replay) cutShort() *Result {
	p.interrupted = true
	for _, f := range p.handed {
		p.judge(f)
	}
	p.Store.CutOff()
	p.closeAll(trace.ByEndOfRecording)
	return p.result()
}

// closeAll closes what the journal does not close.
func (p *replay) closeAll(why trace.Reason) {
	p.replayed = false
	p.Store.Close(why)
	p.judgeChanged(context.Background())
}
