package run

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// world is a random distributed system that handles one request: what it really
// did, and how its spans reach a receiver.
type world struct {
	r        *rand.Rand
	services []*service
	spans    []*event
	owned    bool // followspan starts and stops it
	flow     trace.TraceID
	trigger  trace.SpanID
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
	silent    bool // it is not instrumented
	queue     []*event
	sent      int
	doubles   bool // its exporter sends every batch twice
}

// event is a span as it really was, on the one true clock.
type event struct {
	trace.SpanData
	by     *service
	linkTo *event // instead of Links
	// orphaned: its context was lost, so it is reported as the root of this trace.
	orphaned trace.TraceID
	lost     bool // it was ended and never sent
	refused  bool // it was sent, and the receiver would not have it
}

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), faults: map[string]bool{}}
	w.owned = w.chance(0.5)
	binary.BigEndian.PutUint64(w.flow[:], seed+1)
	w.trigger = w.id()
	hosts := 1 + w.r.IntN(3)
	for i := range 3 + w.r.IntN(4) {
		s := &service{name: string(rune('a' + i)), network: time.Duration(w.r.IntN(3000)) * time.Microsecond}
		if host := w.r.IntN(hosts); host > 0 {
			s.offset = time.Duration(w.r.IntN(4000)-2000) * time.Millisecond * time.Duration(host) / 2
			s.host = fmt.Sprint("h", host, s.offset) // hosts have one clock each
		} else {
			s.host = "h0"
		}
		if w.owned {
			s.host, s.offset = "h0", 0
		} else {
			s.delay = []time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second}[w.r.IntN(4)]
			s.collector = w.chance(0.2)
		}
		s.silent = i > 0 && w.chance(0.1)
		s.doubles = w.chance(0.1)
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
	w.blind = w.blind || !w.owned && name != refusedData
	w.faults[name] = true
	return true
}

// refusedData is the fault that a receiver knows of.
const refusedData = "refused data"

// request lets the first service handle a request that begins at t. It returns
// when it was answered.
func (w *world) request(t trace.Time) trace.Time {
	return w.handle(w.services[0], trace.Server, w.flow, w.trigger, nil, t, 0)
}

func (w *world) add(s *service, e *event) *event {
	e.by = s
	e.Attrs = append(e.Attrs, textAttr("order.id", "o-1"))
	w.spans = append(w.spans, e)
	return e
}

// handle is one server or consumer span with all that it causes.
func (w *world) handle(s *service, kind trace.Kind, id trace.TraceID, parent trace.SpanID, link *event, t trace.Time, depth int) trace.Time {
	e := w.add(s, &event{SpanData: trace.SpanData{TraceID: id, ID: w.id(), Parent: parent, Name: "handle", Kind: kind, Start: t}, linkTo: link})
	if w.chance(0.1) {
		e.Status = trace.Error
	}
	t = w.later(t, 5)
	for range w.r.IntN(4 - min(depth, 3)) {
		switch to := w.services[w.r.IntN(len(w.services))]; {
		case to == s:
			t = w.work(s, e, t)
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

func (w *world) call(s, to *service, e *event, t trace.Time, depth int) trace.Time {
	client := w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "call", Kind: trace.Client, Start: t,
		Attrs: []trace.Attr{textAttr("server.address", to.name+".internal")}}})
	first := len(w.spans)
	client.End = w.later(w.handle(to, trace.Server, e.TraceID, client.ID, nil, w.later(t, 1), depth+1), 1)
	if !to.silent && w.fault("lost context of a call", 0.03) {
		w.lose(s, w.spans[first:])
	}
	return client.End
}

func (w *world) send(s, to *service, e *event, t trace.Time, depth int) {
	producer := w.add(s, &event{SpanData: trace.SpanData{TraceID: e.TraceID, ID: w.id(), Parent: e.ID, Name: "send", Kind: trace.Producer, Start: t, End: w.later(t, 1),
		Attrs: []trace.Attr{textAttr("messaging.system", "bus"), textAttr("messaging.destination.name", to.name+"-queue")}}})
	first := len(w.spans)
	at := producer.End.Add(time.Duration(w.r.IntN(2000)) * time.Millisecond / time.Duration(1+w.r.IntN(20)))
	id, parent, link := e.TraceID, producer.ID, (*event)(nil)
	if w.chance(0.5) {
		id, parent, link = w.newTrace(), trace.SpanID{}, producer
	}
	w.handle(to, trace.Consumer, id, parent, link, at, depth+1)
	consumer := w.spans[first]
	consumer.Attrs = append(consumer.Attrs, textAttr("messaging.system", "bus"), textAttr("messaging.destination.name", to.name+"-queue"))
	if !to.silent && w.fault("lost context of a message", 0.03) {
		w.lose(s, w.spans[first:])
	}
}

func (w *world) newTrace() (id trace.TraceID) {
	w.ids++
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], w.ids)
	copy(id[1:8], w.flow[1:8])
	return id
}

// lose makes the first span, with those of its trace below it, a trace of its own.
// Where the one who called sends no spans either, nothing shows it.
func (w *world) lose(caller *service, below []*event) {
	w.blind = w.blind || caller.silent
	old, id := below[0].TraceID, w.newTrace()
	for _, e := range below {
		if e.TraceID == old && e.orphaned.IsZero() {
			e.orphaned = id
		}
	}
}

// truth is what an all-seeing receiver gets: one clock, nothing lost.
func (w *world) truth() []trace.Span {
	var b trace.Builder
	for _, e := range w.spans {
		if !e.by.silent {
			w.write(&b, e, false)
		}
	}
	return b.Commit()
}

// write encodes a span, as it was or as its service reports it.
func (w *world) write(b *trace.Builder, e *event, reported bool) {
	s, d := e.by, e.SpanData
	resource := []trace.Attr{textAttr("service.name", s.name), textAttr("service.instance.id", s.name+"-1"), textAttr("telemetry.sdk.language", "go")}
	if e.linkTo != nil {
		d.Links = []trace.LinkData{{TraceID: e.linkTo.TraceID, SpanID: e.linkTo.ID}}
	}
	host := "h0"
	if reported {
		host = s.host
		d.Start, d.End = d.Start.Add(s.offset), d.End.Add(s.offset)
		if w.owned {
			resource = append(resource, textAttr(store.RunAttribute, "r1"))
		}
		if e.linkTo != nil && !e.linkTo.orphaned.IsZero() {
			d.Links[0].TraceID = e.linkTo.orphaned
		}
		if !e.orphaned.IsZero() {
			if w.isTop(e) {
				d.Parent, d.Links = trace.SpanID{}, nil
			}
			d.TraceID = e.orphaned
		}
	}
	b.SetResource(trace.ResourceData{Attrs: append(resource, textAttr("host.id", host))})
	b.Add(&d)
}

// isTop reports whether the context was lost right above e.
func (w *world) isTop(e *event) bool {
	i := slices.IndexFunc(w.spans, func(p *event) bool { return p.ID == e.Parent })
	return i < 0 || w.spans[i].orphaned != e.orphaned
}

// breakExports decides what gets lost on the way.
func (w *world) breakExports() {
	ended := slices.Clone(w.spans)
	slices.SortFunc(ended, func(a, b *event) int { return cmp.Compare(a.End, b.End) })
	for _, e := range ended {
		if !e.by.silent {
			e.by.queue = append(e.by.queue, e)
		}
	}
	for _, e := range ended {
		e.refused = !e.by.silent && w.fault(refusedData, 0.005)
	}
	if w.owned {
		return // Their queues hold any burst.
	}
	for _, s := range w.services {
		if len(s.queue) > 0 && w.fault("a queue ran over", 0.05) {
			from := w.r.IntN(len(s.queue))
			for _, e := range s.queue[from:min(len(s.queue), from+1+w.r.IntN(3))] {
				e.lost = true
			}
		}
	}
}

// export sends what a service has ended until now, and returns how it went.
func (w *world) export(to *store.Store, s *service, now trace.Time) {
	var b trace.Builder
	refused := 0
	for s.sent < len(s.queue) && s.queue[s.sent].End <= now {
		switch e := s.queue[s.sent]; {
		case e.refused:
			refused++
		case !e.lost:
			w.write(&b, e, true)
		}
		s.sent++
		if s.delay == 0 {
			break
		}
	}
	batch := trace.Batch{Spans: b.Commit(), Received: trace.TimeOf(time.Now()), Sender: "127.0.0.1:" + fmt.Sprint(1000+int(s.name[0])), UserAgent: "OTel-OTLP-Exporter-Test/1"}
	if s.collector {
		batch.Sender, batch.UserAgent = "127.0.0.1:999", "OpenTelemetry Collector/1"
	}
	if refused > 0 {
		batch.Refused = []trace.Refusal{{Service: s.name, Reason: "it looked odd", Spans: refused}}
	}
	if len(batch.Spans)+refused == 0 {
		return
	}
	for range 1 + btoi(s.doubles) {
		if err := to.Consume(context.Background(), batch); err != nil {
			panic(err)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// play lets a service export for as long as it has something and ctx goes on.
func (w *world) play(ctx context.Context, to *store.Store, s *service) {
	for s.sent < len(s.queue) && ctx.Err() == nil {
		at := s.queue[s.sent].End
		if s.delay > 0 {
			at = max(at, trace.TimeOf(time.Now().Truncate(s.delay).Add(s.delay)))
		}
		if !sleep(ctx, at.Add(s.network).Sub(trace.TimeOf(time.Now()))) {
			return
		}
		w.export(to, s, at)
	}
}

// flush sends what is left, as services do that are asked to end.
func (w *world) flush(to *store.Store) {
	now := trace.TimeOf(time.Now())
	for _, s := range w.services {
		for s.sent < len(s.queue) && s.queue[s.sent].End <= now {
			w.export(to, s, now)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(0, d))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// suite is a flow file with assertions that may or may not hold.
func (w *world) suite() string {
	var b strings.Builder
	b.WriteString("version: 1\ndefaults: {deadline: 20s}\nspans:\n")
	for _, s := range w.services {
		fmt.Fprintf(&b, "  %[1]ss: service == %[1]q and (kind == \"server\" or kind == \"consumer\")\n", s.name)
	}
	b.WriteString("flows:\n  f:\n    trigger: {grpc: {target: x, method: a.B/C}}\n    expect:\n")
	for range 6 {
		x, y := w.services[w.r.IntN(len(w.services))].name, w.services[w.r.IntN(len(w.services))].name
		n := w.handled(x) + w.r.IntN(3) - 1
		for _, line := range [][]string{
			{fmt.Sprintf("%ss.count == %d", x, n)}, {fmt.Sprintf("%ss.count <= %d", x, n)}, {fmt.Sprintf("%ss.count >= %d", x, n)},
			{x + "s.empty"}, {x + "s.exists"}, {fmt.Sprintf("none(%ss, .status == \"error\")", x)},
			{fmt.Sprintf("all(%ss, .duration < %dms)", x, 5+w.r.IntN(40))}, {fmt.Sprintf("%ss.calls(%ss)", x, y)}, {fmt.Sprintf("not %ss.causes(%ss)", x, y)},
			{fmt.Sprintf("%ss.before(%ss)", x, y)}, {fmt.Sprintf("exactlyOnce(%ss, .order.id)", x)}, {fmt.Sprintf("count(spans, .service == %q) == %d", x, w.all(x)-w.r.IntN(2))},
			{fmt.Sprintf("%ss.exists and %ss.empty", x, y)},
		}[w.r.IntN(13)] {
			fmt.Fprintf(&b, "      - '%s'\n", line)
		}
	}
	x, y := w.services[w.r.IntN(len(w.services))].name, w.services[w.r.IntN(len(w.services))].name
	fmt.Fprintf(&b, "    never:\n      - 'service == %q and status == \"error\"'\n", x)
	if x != y {
		fmt.Fprintf(&b, "    calls: |\n      %s %s %s%s\n", x, []string{"->", "=>", "~>"}[w.r.IntN(3)], y, []string{"", ", exactly once", ", at most 1"}[w.r.IntN(3)])
	}
	return b.String()
}

// handled is how many requests and messages a service really handled.
func (w *world) handled(name string) (n int) {
	for _, e := range w.spans {
		if e.by.name == name && (e.Kind == trace.Server || e.Kind == trace.Consumer) {
			n++
		}
	}
	return n
}

func (w *world) all(name string) (n int) {
	for _, e := range w.spans {
		if e.by.name == name {
			n++
		}
	}
	return n
}
