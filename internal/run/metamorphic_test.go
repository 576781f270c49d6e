package run

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// recordedWorld is what a random system reported, in some order, and a flow file of which
// every flow starts at a span.
type recordedWorld struct {
	in    []Input
	w     *world
	spans []*event
}

func recordWorld(t *testing.T, seed uint64) *recordedWorld {
	w := newWorld(seed)
	w.happen(sketch.Base)
	w.breakExports()
	text := strings.Replace(w.flowFile(), "trigger: {grpc: {target: x, method: a.B/C}}", `origin: attrs.request == "r0"`, 1)
	w.spans[0].Attrs = append(w.spans[0].Attrs, textAttr("request", "r0"))
	reported := slices.DeleteFunc(slices.Clone(w.spans), func(e *event) bool { return e.by.silent || e.lost || e.unsampled || e.refused })
	return &recordedWorld{inputs(t, text), w, reported}
}

// inBatches writes the spans, so many in each batch.
func (r *recordedWorld) inBatches(spans []*event, size int) (all []trace.Batch) {
	for part := range slices.Chunk(spans, size) {
		var b trace.Builder
		for _, e := range part {
			r.w.write(&b, e, asReported)
		}
		all = append(all, trace.Batch{Spans: b.Commit()})
	}
	return all
}

// judge returns what is found about each instance: its verdicts, and of what spans they
// speak, without ids and times.
func (r *recordedWorld) judge(t *testing.T, batches []trace.Batch) (found string, result *Result) {
	t.Helper()
	result, err := check(t, t.Context(), r.in, batches, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range result.Files[0].Flows {
		for _, x := range f.Instances {
			fmt.Fprintf(&b, "%s: %d spans, %d open edges\n", f.Name, x.Flow.Len(), len(x.Flow.OpenEdges()))
			for _, v := range x.Verdicts {
				fmt.Fprintf(&b, "  %s: %v, absence %v: %s\n", v.Assertion.Name, v.Outcome, v.Grade, v.Explanation().Why)
				for _, s := range v.Explanation().Spans {
					fmt.Fprintf(&b, "    %s %s, %v\n", s.Span.Service, s.Span.Name, s.Span.End.Sub(s.Span.Start))
				}
			}
		}
	}
	return b.String(), result
}

// How spans come says nothing about what happened: in which order and which batches, how
// often, with what ids, days later, or as what file.
func TestVerdictsAreThoseOfTheSpans(t *testing.T) {
	for seed := range uint64(150) {
		r := recordWorld(t, seed)
		want, _ := r.judge(t, r.inBatches(r.spans, len(r.spans)+1))
		random := rand.New(rand.NewPCG(seed, 1))
		for name, batches := range map[string][]trace.Batch{
			"one by one":       r.inBatches(r.spans, 1),
			"backwards":        r.inBatches(backwards(r.spans), 3),
			"shuffled":         r.inBatches(mixed(random, r.spans), 1+random.IntN(8)),
			"several times":    r.inBatches(mixed(random, slices.Concat(r.spans, r.spans)), 1+random.IntN(8)),
			"as OTLP JSON":     reread(t, "a.jsonl.gz", r.inBatches(r.spans, 5)),
			"as OTLP protobuf": reread(t, "a.binpb.zst", r.inBatches(r.spans, 5)),
			"beside others":    beside(r.inBatches(r.spans, 2)),
		} {
			if got, _ := r.judge(t, batches); got != want {
				t.Fatalf("seed %d, %s (-want +got)\n%s%s", seed, name, cmp.Diff(want, got), r.w.show())
			}
		}
		r.change(random)
		if got, _ := r.judge(t, r.inBatches(r.spans, 7)); got != want {
			t.Fatalf("seed %d, with other ids, days later (-want +got)\n%s%s", seed, cmp.Diff(want, got), r.w.show())
		}
	}
}

func backwards(spans []*event) []*event {
	spans = slices.Clone(spans)
	slices.Reverse(spans)
	return spans
}

func mixed(r *rand.Rand, spans []*event) []*event {
	spans = slices.Clone(spans)
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	return spans
}

// reread writes a file and reads it.
func reread(t *testing.T, name string, batches []trace.Batch) (all []trace.Batch) {
	var file bytes.Buffer
	w, err := recording.NewWriter(name, &file)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	reader := recording.NewReader(recording.Settings{}, func(b trace.Batch) error { all = append(all, b); return nil })
	if _, err := reader.Read(context.Background(), name, &file); err != nil {
		t.Fatal(err)
	}
	return all
}

// beside puts traces between the batches that no flow wants, one with an error and one of
// which a parent is missing.
func beside(batches []trace.Batch) (all []trace.Batch) {
	for i, b := range batches {
		spans := sketch.MustParse(fmt.Sprintf(`
cron  tick  internal  %[1]d..%[2]dms
  cron  call  client  %[1]d..%[2]dms  server.address=tidy error
    tidy  up  server  %[1]d..%[2]dms
tidy  late  internal  %[1]d..%[2]dms  parent=missing`, i, i+9)).Spans()
		all = append(all, b, trace.Batch{Spans: spans})
	}
	return all
}

// change gives all spans other ids, and times that are as far apart.
func (r *recordedWorld) change(random *rand.Rand) {
	key := random.Uint64() | 1
	other := func(id []byte) {
		if n := binary.BigEndian.Uint64(id); n != 0 {
			binary.BigEndian.PutUint64(id, n*key) // an odd factor leads each to one of its own
		}
	}
	byID := map[trace.SpanID]*event{}
	for _, e := range r.w.spans {
		other(e.TraceID[:8])
		other(e.TraceID[8:])
		other(e.ID[:])
		other(e.Parent[:])
		other(e.orphaned[:8])
		other(e.orphaned[8:])
		other(e.elsewhere[:])
		e.Start, e.End = e.Start.Add(72*time.Hour), e.End.Add(72*time.Hour)
		byID[e.ID] = e
	}
	r.w.byID = byID
}

// Whichever span is lost: where one that is there names it as its parent, or links to it in
// a trace of the flow, nothing passes that rests on an absence.
func TestALostSpanThatIsNamedShows(t *testing.T) {
	for seed := range uint64(300) {
		r := recordWorld(t, seed)
		for i, gone := range r.spans {
			rest := r.inBatches(slices.Delete(slices.Clone(r.spans), i, i+1), len(r.spans))
			_, result := r.judge(t, rest)
			for _, f := range result.Files[0].Flows {
				for _, x := range f.Instances {
					if absent := restsOnAbsence(x); absent != "" && names(x.Flow, gone.ID) {
						t.Fatalf("seed %d, without %x of %s: %s of %s passes\n%s", seed, gone.ID[6:], gone.by.name, absent, f.Name, r.w.show())
					}
				}
			}
		}
	}
}

// names reports whether a member other than the origin names a span that is missing.
func names(f trace.Flow, missing trace.SpanID) (named bool) {
	traces := map[trace.TraceID]bool{}
	for _, n := range f.Spans() {
		traces[f.Span(n).TraceID()] = true
	}
	origin, _ := f.Origin()
	for _, n := range f.Spans() {
		s := f.Span(n)
		named = named || n != origin && s.ParentID() == missing
		for l := range s.Links() {
			named = named || l.SpanID() == missing && traces[l.TraceID()]
		}
	}
	return named
}

// restsOnAbsence is an assertion that passes for want of spans, if there is one.
func restsOnAbsence(x InstanceResult) string {
	for _, v := range x.Verdicts {
		if v.Outcome == assertions.Pass && v.Grade != assertions.NoAbsence && v.Grade != assertions.Unproved {
			return v.Assertion.Name
		}
	}
	return ""
}
