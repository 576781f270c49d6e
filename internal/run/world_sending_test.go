package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// truth is what an all-seeing receiver gets: one clock, nothing lost.
func (w *world) truth() []trace.Span {
	var b trace.Builder
	for _, e := range w.spans {
		if !e.by.silent {
			w.write(&b, e, asItWas)
		}
	}
	return b.Commit()
}

// writing says which version of a span is encoded.
type writing uint8

const (
	asItWas     writing = iota
	asReported          // by its service
	differently         // likewise, and through another pipeline
)

func (w *world) write(b *trace.Builder, e *event, as writing) {
	s, d := e.by, e.SpanData
	resource := []trace.Attr{textAttr("service.name", s.name), textAttr("service.instance.id", s.name+"-1"), textAttr("telemetry.sdk.language", "go")}
	host := "h0"
	above := w.visible(d.Parent)
	if above != nil {
		d.Parent = above.ID
	}
	if as != asItWas {
		host = s.host
		d.Start, d.End = d.Start.Add(s.offset), d.End.Add(s.offset)
		if w.owned {
			resource = append(resource, textAttr(store.RunAttribute, "r1"))
		}
		if as == differently {
			resource = append(resource, textAttr("k8s.pod.name", "pod-"+s.name))
		}
	}
	const sampled, filled = 1, 0x100
	d.Flags = filled | sampled
	for _, to := range e.linksTo {
		// Who sends no spans passes on what it got.
		if to = w.visible(to.ID); to == nil {
			continue
		}
		l := trace.LinkData{TraceID: to.TraceID, SpanID: to.ID, Flags: filled | sampled}
		if as != asItWas && !to.orphaned.IsZero() {
			l.TraceID = to.orphaned
		}
		if as != asItWas && to.unsampled {
			l.Flags = filled
		}
		d.Links = append(d.Links, l)
	}
	if as != asItWas && !e.orphaned.IsZero() {
		if above == nil || above.orphaned != e.orphaned {
			d.Parent, d.Links = e.elsewhere, nil
		}
		d.TraceID = e.orphaned
	}
	b.SetResource(trace.ResourceData{Attrs: append(resource, textAttr("host.id", host))})
	b.Add(&d)
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
		if len(s.queue) > 0 && w.chance(0.05) {
			name := queueRanOver
			if s.collector || s.delay == 0 {
				name = "spans lost on the way"
			}
			w.fault(name, 1)
			from := w.r.IntN(len(s.queue))
			for _, e := range s.queue[from:min(len(s.queue), from+1+w.r.IntN(3))] {
				e.lost = true
			}
		}
	}
}

// export sends what a service has ended until now, and returns how it went.
func (w *world) export(to *store.Store, s *service, now trace.Time) {
	var b, again trace.Builder
	refused, burst := 0, false
	for s.sent < len(s.queue) && s.queue[s.sent].End <= now {
		switch e := s.queue[s.sent]; {
		case e.refused:
			refused++
		case e.lost && s.delay > 0 && !s.collector:
			if !burst {
				burst = true
				w.consume(to, s, b.Commit(), 0)
				w.burst(to, s, e)
			}
		case !e.lost && !e.unsampled:
			w.write(&b, e, asReported)
			w.write(&again, e, differently)
		}
		s.sent++
		if s.delay == 0 {
			break
		}
	}
	w.consume(to, s, b.Commit(), refused)
	if s.pipelines {
		w.consume(to, s, again.Commit(), 0)
	}
}

// burst is what filled the queue of a service so that it dropped e.
func (w *world) burst(to *store.Store, s *service, e *event) {
	var b trace.Builder
	const batch = 512
	for i := range 4 * batch {
		noise := event{SpanData: trace.SpanData{TraceID: trace.TraceID{2}, ID: w.id(), Name: "noise", Start: e.Start, End: e.End}, by: s}
		w.write(&b, &noise, asReported)
		if (i+1)%batch == 0 {
			w.consume(to, s, b.Commit(), 0)
		}
	}
}

func (w *world) consume(to *store.Store, s *service, spans []trace.Span, refused int) {
	batch := trace.Batch{Spans: spans, Received: trace.TimeOf(time.Now()), Sender: "127.0.0.1:" + fmt.Sprint(1000+int(s.name[0])), UserAgent: "OTel-OTLP-Exporter-Test/1"}
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
