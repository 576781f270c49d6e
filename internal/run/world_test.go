package run

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/followspan/followspan/trace"
)

// world is a random distributed system that handles one request, and perhaps others
// beside it: what it really did, and how its spans reach a receiver.
type world struct {
	r        *rand.Rand
	services []*service
	spans    []*event
	byID     map[trace.SpanID]*event
	owned    bool // followspan starts and stops it
	prompt   bool // one machine, whose services export soon: silence comes early
	opaque   bool // addresses do not tell who is called
	numbered bool // messages have ids
	keyed    bool // the flows are stitched by the order's id, too
	flow     trace.TraceID
	trigger  trace.SpanID
	suite    trace.TraceID // of a test suite under one TRACEPARENT
	suiteTop trace.SpanID
	beside   int // requests that nobody triggered
	request  int // that is being handled; 0 is the triggered one, -1 several at once
	batches  map[*service][]*event
	ids      uint64
	text     string          // of the flow file
	faults   map[string]bool // by name
	// blind: spans were lost, or contexts, and a receiver that knows nothing of the
	// system may see no sign of it.
	blind bool
}

// service is one process with its clock and its way of exporting.
type service struct {
	name      string
	offset    time.Duration // of its clock
	host      string
	delay     time.Duration // between exports; 0: every span at once
	network   time.Duration
	collector bool // its spans come through one
	silent    bool // it is not instrumented, and passes on the contexts that it gets
	forgetful bool // it does not even do that
	batched   bool // it consumes all messages that have come at once
	queue     []*event
	sent      int
	doubles   bool // its exporter sends every batch twice
	pipelines bool // and the second comes another way, with another resource
}

// event is a span as it really was, on the one true clock.
type event struct {
	trace.SpanData
	by      *service
	request int
	linksTo []*event // instead of Links
	// orphaned: its context was lost, so it is reported as the root of this trace.
	orphaned  trace.TraceID
	elsewhere trace.SpanID // what such a root names as its parent: somebody's who sends no spans
	unsampled bool         // it was not sampled, and so is not sent
	lost      bool         // it was ended and never sent
	refused   bool         // it was sent, and the receiver would not have it
}

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), faults: map[string]bool{}, byID: map[trace.SpanID]*event{}, batches: map[*service][]*event{}}
	w.owned = w.chance(0.5)
	binary.BigEndian.PutUint64(w.flow[:], seed+1)
	w.trigger = w.id()
	w.suite, w.suiteTop = w.newTrace(), w.id()
	w.prompt = !w.owned && w.chance(0.4)
	w.opaque, w.numbered, w.keyed = w.chance(0.5), w.chance(0.4), w.chance(0.2)
	hosts := 1 + w.r.IntN(3)
	if w.prompt {
		hosts = 1
	}
	for i := range 3 + w.r.IntN(4) {
		s := &service{name: string(rune('a' + i)), network: time.Duration(w.r.IntN(3000)) * time.Microsecond}
		if host := w.r.IntN(hosts); host > 0 {
			s.offset = time.Duration(w.r.IntN(4000)-2000) * time.Millisecond * time.Duration(host) / 2
			s.host = fmt.Sprint("h", host, s.offset) // hosts have one clock each
		} else {
			s.host = "h0"
		}
		switch {
		case w.owned:
			s.host, s.offset = "h0", 0
		case w.prompt:
			s.delay = []time.Duration{0, 100 * time.Millisecond}[w.r.IntN(2)]
		default:
			s.delay = []time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second}[w.r.IntN(4)]
			s.collector = w.chance(0.2)
		}
		s.silent = i > 0 && w.chance(0.1)
		s.forgetful = s.silent && w.chance(0.2)
		s.batched = !s.silent && w.chance(0.2)
		s.doubles = w.chance(0.1)
		s.pipelines = s.doubles && w.chance(0.5)
		w.services = append(w.services, s)
	}
	return w
}

func (w *world) chance(p float64) bool { return w.r.Float64() < p }

func (w *world) id() (id trace.SpanID) {
	w.ids++
	binary.BigEndian.PutUint64(id[:], w.ids)
	return id
}

// fault decides whether something goes wrong.
func (w *world) fault(name string, p float64) bool {
	if !w.chance(p) {
		return false
	}
	w.blind = w.blind || !w.owned && name != refusedData && name != queueRanOver && name != notSampled
	w.faults[name] = true
	return true
}

// Faults that a receiver knows of.
const (
	refusedData  = "refused data"
	queueRanOver = "a queue ran over"
	notSampled   = "spans that were not sampled"
)

// happen lets the first service handle a request that begins at t, and perhaps others
// that begin about then. It returns when the first was answered.
func (w *world) happen(t trace.Time) trace.Time {
	answered := w.handle(w.services[0], trace.Server, w.flow, w.trigger, nil, t, 0)
	for w.beside < 2 && w.chance(0.3) {
		w.beside++
		w.request = w.beside
		id, parent := w.newTrace(), trace.SpanID{}
		switch w.r.IntN(3) {
		case 0:
			id, parent = w.suite, w.suiteTop
		case 1:
			parent = w.id() // of a caller that sends no spans
		}
		first := len(w.spans)
		w.handle(w.services[0], trace.Server, id, parent, nil, w.later(t, 300), 0)
		w.spans[first].Attrs = append(w.spans[first].Attrs, textAttr("request", w.origin()))
	}
	w.request = -1
	w.consumeBatches()
	return answered
}

// origin is by which attribute the request being handled is told.
func (w *world) origin() string { return fmt.Sprint("r", w.request) }

func (w *world) add(s *service, e *event) *event {
	e.by, e.request = s, w.request
	if w.request >= 0 {
		e.Attrs = append(e.Attrs, textAttr("order.id", fmt.Sprint("o-", w.request)))
	}
	w.spans = append(w.spans, e)
	w.byID[e.ID] = e
	return e
}

// handle is one server or consumer span with all that it causes.
func (w *world) handle(s *service, kind trace.Kind, id trace.TraceID, parent trace.SpanID, links []*event, t trace.Time, depth int) trace.Time {
	e := w.add(s, &event{SpanData: trace.SpanData{TraceID: id, ID: w.id(), Parent: parent, Name: "handle", Kind: kind, Start: t}, linksTo: links})
	if w.chance(0.1) {
		e.Status = trace.Error
	}
	t = w.later(t, 5)
	for range w.r.IntN(4 - min(depth, 3)) {
		switch to := w.services[w.r.IntN(len(w.services))]; {
		case to == s:
			t = w.work(s, e, t)
		case w.chance(0.1):
			w.leaveBehind(s, to, e, t, depth)
		case w.chance(0.35):
			w.send(s, to, e, t, depth)
		default:
			t = w.call(s, to, e, t, depth)
		}
		t = w.later(t, 5)
	}
	e.End = t
	return t
}

func (w *world) later(t trace.Time, most int) trace.Time {
	return t.Add(time.Duration(50+w.r.IntN(most*1000)) * time.Microsecond)
}

func (w *world) work(s *service, e *event, t trace.Time) trace.Time {
	end := w.later(t, 20)
	w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "work", Kind: trace.Internal, Start: t, End: end}})
	return end
}

// leaveBehind begins work that nobody waits for: it may well outlive its parent.
func (w *world) leaveBehind(s, to *service, e *event, t trace.Time, depth int) {
	task := w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "task", Kind: trace.Internal, Start: t}})
	end := w.later(t, 50)
	if w.chance(0.5) {
		if s.silent {
			w.faults["a service without spans that goes on after it answered"] = true
		}
		end = w.call(s, to, task, end, depth+1)
	}
	task.End = w.later(end, 20)
}

func (w *world) call(s, to *service, e *event, t trace.Time, depth int) trace.Time {
	client := w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "call", Kind: trace.Client, Start: t,
		Attrs: []trace.Attr{textAttr("server.address", w.address(to))}}})
	first := len(w.spans)
	if w.chance(0.1) {
		return w.giveUp(s, to, e, client, depth)
	}
	client.End = w.later(w.handle(to, trace.Server, e.TraceID, client.ID, nil, w.later(t, 1), depth+1), 1)
	if w.spans[first].Status == trace.Error && w.chance(0.5) {
		client.Status = trace.Error
		client.Attrs = append(client.Attrs, textAttr("http.response.status_code", "500"))
	}
	w.mayLose(s, to, first, "lost context of a call")
	return client.End
}

func (w *world) address(of *service) string {
	if w.opaque {
		return fmt.Sprint("10.0.0.", of.name[0])
	}
	return of.name + ".internal"
}

// giveUp lets the caller not wait for an answer, and try once more. The callee goes on,
// or has not even begun.
func (w *world) giveUp(s, to *service, e, client *event, depth int) trace.Time {
	client.End, client.Status = w.later(client.Start, 3), trace.Error
	client.Attrs = append(client.Attrs, textAttr("error.type", []string{"timeout", "context.deadlineExceededError", "ECONNRESET"}[w.r.IntN(3)]))
	queued := time.Duration(w.r.IntN(3000)) * time.Millisecond / time.Duration(1+19*w.r.IntN(2))
	if s.silent && !w.owned {
		// Nobody sees that something was asked for which may yet be done.
		w.faults["a call that a service without spans gave up"], w.blind = true, true
	}
	first := len(w.spans)
	w.handle(to, trace.Server, e.TraceID, client.ID, nil, w.later(client.Start, 1).Add(queued), depth+1)
	w.mayLose(s, to, first, "")
	return w.call(s, to, e, w.later(client.End, 1), depth+1)
}

// send is a message to a service, and sometimes to a second one, too.
func (w *world) send(s, to *service, e *event, t trace.Time, depth int) {
	about := w.message(to)
	producer := w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "send", Kind: trace.Producer, Start: t, End: w.later(t, 1), Attrs: about}})
	readers, also := []*service{to}, w.services[w.r.IntN(len(w.services))]
	if also != to && w.chance(0.2) {
		readers = append(readers, also)
	}
	for _, reader := range readers {
		if reader.batched && reader == to {
			w.batches[to] = append(w.batches[to], producer)
			continue
		}
		w.deliver(s, reader, producer, about, depth)
		if reader != to && !w.owned {
			// One reader is known, so nobody waits for another.
			w.faults["a second reader of a message"], w.blind = true, true
		}
	}
}

// message are the attributes of a new message for a service.
func (w *world) message(to *service) []trace.Attr {
	about := []trace.Attr{textAttr("messaging.system", "bus"), textAttr("messaging.destination.name", to.name+"-queue")}
	if w.numbered {
		about = append(about, textAttr("messaging.message.id", fmt.Sprint("m-", w.id())))
	}
	return about
}

func (w *world) deliver(s, to *service, producer *event, about []trace.Attr, depth int) {
	first := len(w.spans)
	id, parent, links := producer.TraceID, producer.ID, []*event(nil)
	switch {
	case to.silent: // It passes on the context that it got.
	case w.numbered && w.chance(0.3):
		id, parent = w.newTrace(), trace.SpanID{} // Its id alone tells what it belongs to.
	case w.chance(0.5):
		id, parent, links = w.newTrace(), trace.SpanID{}, []*event{producer}
	}
	w.handle(to, trace.Consumer, id, parent, links, w.arrival(producer), depth+1)
	consumer := w.spans[first]
	consumer.Attrs = append(consumer.Attrs, about...)
	if links != nil && !to.silent && !w.owned && w.fault(notSampled, 0.01) {
		producer.unsampled = true
	}
	if !w.numbered { // Otherwise nothing would be lost with it.
		w.mayLose(s, to, first, "lost context of a message")
	}
}

// arrival is when a message is read.
func (w *world) arrival(producer *event) trace.Time {
	waits := time.Duration(w.r.IntN(2000)) * time.Millisecond / time.Duration(1+w.r.IntN(20))
	if w.prompt {
		waits /= 10 // A queue that nobody is known to read looks unread.
	}
	return producer.End.Add(waits)
}

// consumeBatches lets messages be read that have waited for others, of any request.
func (w *world) consumeBatches() {
	for _, s := range w.services {
		all := w.batches[s]
		if len(all) == 0 {
			continue
		}
		at := trace.Time(0)
		for _, producer := range all {
			at = max(at, w.arrival(producer))
		}
		first := len(w.spans)
		w.handle(s, trace.Consumer, w.newTrace(), trace.SpanID{}, all, at, 2)
		w.spans[first].Attrs = append(w.spans[first].Attrs, w.message(s)[:2]...)
	}
}

func (w *world) newTrace() (id trace.TraceID) {
	w.ids++
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], w.ids)
	copy(id[1:8], w.flow[1:8])
	return id
}

// mayLose loses the context of what a service caused at another one, always if it is
// one that does not pass on any.
func (w *world) mayLose(s, to *service, first int, name string) {
	switch {
	case s.forgetful:
		w.faults["a service that sends no spans and passes on no contexts"] = true
		w.lose(s, w.spans[first:])
	case !to.silent && name != "" && w.fault(name, 0.03):
		w.lose(s, w.spans[first:])
	}
}

// lose makes the first span, with those of its trace below it, a trace of its own.
// Where the one who called sends no spans either, nothing shows it.
func (w *world) lose(caller *service, below []*event) {
	w.blind = w.blind || caller.silent
	old, id, elsewhere := below[0].TraceID, w.newTrace(), trace.SpanID{}
	if w.chance(0.3) {
		elsewhere = w.id() // Somebody in between began it.
	}
	for _, e := range below {
		if e.TraceID == old && e.orphaned.IsZero() {
			e.orphaned, e.elsewhere = id, elsewhere
		}
	}
}

// visible is the span above e whose service sends spans, nil if there is none.
func (w *world) visible(id trace.SpanID) *event {
	for e := w.byID[id]; e != nil; e = w.byID[e.Parent] {
		if !e.by.silent {
			return e
		}
	}
	return nil
}
