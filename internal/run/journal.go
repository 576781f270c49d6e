package run

import (
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// Journal writes down what a run does and sees, so that [Replay] can judge again
// and come to the same verdicts, each decided by the same span at the same time. It
// may be used concurrently. A nil Journal writes nothing.
type Journal struct {
	mu    sync.Mutex
	write func(Entry) error
	err   error
	ended bool
}

// NewJournal returns a journal whose entries are handed to write, one after the
// other. After an error it is not called again.
func NewJournal(write func(Entry) error) *Journal { return &Journal{write: write} }

// Err is the first error of writing; the entries before it are good.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Store writes down what was done to the store. It belongs into [store.Settings].
func (j *Journal) Store(op store.Op) {
	e := Entry{
		Do: deeds[op.Kind], Now: op.Now, Spans: op.Batch.Spans,
		Received: op.Batch.Received, Sender: op.Batch.Sender, UserAgent: op.Batch.UserAgent, Refused: op.Batch.Refused,
		Flow: op.Flow, Node: op.Node, Number: op.Number, Members: op.Members, Why: op.Why, Handed: op.Handed,
	}
	if op.Kind == store.OpExpect {
		e.TraceID, e.SpanID = op.TraceID.String(), op.SpanID.String()
	}
	j.add(e)
}

// End writes down what the result says beside its verdicts, and nothing after it.
func (j *Journal) End(r *Result) {
	j.add(Entry{Do: doEnd, End: &Ending{r.Started, r.Duration, r.Ended, r.Steps, r.Received.Refused}})
}

func (j *Journal) add(e Entry) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil && !j.ended {
		j.err = j.write(e)
	}
	j.ended = j.ended || e.Do == doEnd
}

// Entry is one thing that a run did or saw. Its JSON lacks the spans, which have an
// encoding of their own.
type Entry struct {
	Do  Deed       `json:"do"`
	Now trace.Time `json:"now,string,omitzero"` // of the store's clock

	// Of a batch:
	Spans     []trace.Span    `json:"-"`
	Received  trace.Time      `json:"received,string,omitzero"`
	Sender    string          `json:"sender,omitzero"`
	UserAgent string          `json:"userAgent,omitzero"`
	Refused   []trace.Refusal `json:"refused,omitzero"`

	// Of a flow that is expected, closed or handed out, or the trigger of which was
	// answered:
	Flow     string               `json:"flow,omitzero"`
	TraceID  string               `json:"traceId,omitzero"`
	SpanID   string               `json:"spanId,omitzero"`
	Node     trace.Node           `json:"node,omitzero"`
	Number   uint32               `json:"number,omitzero"`
	Members  int                  `json:"members,omitzero"`
	Why      trace.Reason         `json:"why,omitzero"`
	Handed   bool                 `json:"handed,omitzero"`
	Hopeless bool                 `json:"hopeless,omitzero"`
	Response *assertions.Response `json:"response,omitzero"`

	End *Ending `json:"end,omitzero"`
}

// Ending is what a [Result] says beside its verdicts.
type Ending struct {
	Started  time.Time
	Duration time.Duration
	Ended    End
	Steps    []Step
	Refused  []trace.Loss
}

// Deed is a word for what an entry is about.
type Deed string

const (
	doConsume  Deed = "consume"
	doRefuse   Deed = "refuse"
	doExpect   Deed = "expect"
	doNext     Deed = "next"
	doClose    Deed = "close"
	doFlushed  Deed = "flushed"
	doCloseAll Deed = "close all"
	doEvict    Deed = "evict"      // a flow
	doEvictOne Deed = "evict span" // in no flow
	doCut      Deed = "cut"        // a flow that takes all memory
	doAwait    Deed = "await"      // the flow that was expected
	doJudge    Deed = "judge"      // the flow that was handed out
	doAnswer   Deed = "answer"     // what a trigger was answered is known
	doSystem   Deed = "system"     // it has ended by itself
	doEnd      Deed = "end"
)

var deeds = [...]Deed{
	store.OpConsume: doConsume, store.OpRefuse: doRefuse, store.OpExpect: doExpect, store.OpNext: doNext,
	store.OpCloseFlow: doClose, store.OpFlushed: doFlushed, store.OpClose: doCloseAll,
	store.OpEvict: doEvict, store.OpEvictSpan: doEvictOne, store.OpCut: doCut,
}

// op is the entry as the store knows it, if it is about the store.
func (e *Entry) op() (op store.Op, ok bool, err error) {
	for kind, deed := range deeds {
		if deed != e.Do {
			continue
		}
		op = store.Op{
			Kind: store.OpKind(kind), Now: e.Now, Flow: e.Flow, Node: e.Node, Number: e.Number, Members: e.Members, Why: e.Why, Handed: e.Handed,
			Batch: trace.Batch{Spans: e.Spans, Received: e.Received, Sender: e.Sender, UserAgent: e.UserAgent, Refused: e.Refused},
		}
		if op.TraceID, err = e.traceID(); err == nil && e.SpanID != "" {
			err = decodeID(op.SpanID[:], e.SpanID)
		}
		return op, true, err
	}
	return op, false, nil
}

func (e *Entry) traceID() (id trace.TraceID, err error) {
	if e.TraceID != "" {
		err = decodeID(id[:], e.TraceID)
	}
	return id, err
}

func decodeID(id []byte, s string) error {
	if n, err := hex.Decode(id, []byte(s[:min(len(s), 2*len(id))])); err != nil || n != len(id) || len(s) != 2*len(id) {
		return fmt.Errorf("%q is no id", s)
	}
	return nil
}
