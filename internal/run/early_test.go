package run

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

const bigFile = `version: 1
flows:
  order:
    origin: service == "shop" and isRoot
    expect:
      - name: it is paid
        that: count(spans, .name == "charge") == 1
      - name: a mail
        that: any(spans, .service == "mail")
    never:
      - name: no error
        that: status == "error"
`

// recordedSpan is a span of a made-up recording: where it stands, and what it is.
type recordedSpan struct {
	at      float64
	service string
	data    trace.SpanData
}

// largeRecording is a recording of many orders. What belongs together is mostly close
// together; now and then something comes much later, or never.
func largeRecording(r *rand.Rand, orders int) (all []recordedSpan) {
	for n := range orders {
		add := func(id, parent byte, service, name string, kind trace.Kind, attrs ...trace.Attr) *recordedSpan {
			s := recordedSpan{at: float64(n) + 20*r.Float64(), service: service}
			if r.IntN(500) == 0 {
				s.at += float64(orders) * r.Float64()
			}
			d := trace.SpanData{Name: name, Kind: kind, Start: trace.Time(1e18 + n*1e6 + int(id)), End: trace.Time(1e18 + n*1e6 + 1000 - int(id))}
			binary.BigEndian.PutUint32(d.TraceID[:], uint32(n+1))
			binary.BigEndian.PutUint32(d.ID[:], uint32(n+1))
			d.ID[7] = id
			if parent > 0 {
				d.Parent = d.ID
				d.Parent[7] = parent
			}
			d.Attrs = append(attrs, textAttr("text", strings.Repeat(fmt.Sprintf("%d/%d ", n, id), 400)))
			s.data = d
			all = append(all, s)
			return &all[len(all)-1]
		}
		if r.IntN(5) == 0 {
			add(1, 0, "cron", "tidy up", trace.Internal) // in no flow
			continue
		}
		add(1, 0, "shop", "order", trace.Server)
		// One sends spans, one never does, and one does from some time on.
		pay := fmt.Sprint("payment-", r.IntN(3))
		add(2, 1, "shop", "call", trace.Client, textAttr("server.address", pay))
		switch {
		case pay == "payment-0", pay == "payment-2" && n > orders*3/4 && r.IntN(2) == 0:
			charge := add(3, 2, pay, "charge", trace.Server)
			if r.IntN(50) == 0 {
				charge.data.Status = trace.Error
			}
		default:
			add(3, 1, "shop", "charge", trace.Internal)
		}
		topic := textAttr("messaging.destination.name", fmt.Sprint("mails-", r.IntN(3)))
		add(4, 1, "shop", "send", trace.Producer, topic)
		if r.IntN(20) > 0 {
			add(5, 4, "mail", "receive", trace.Consumer, topic)
		}
		if r.IntN(100) == 0 { // a linked trace
			linked := add(6, 0, "batch", "work", trace.Internal)
			linked.data.Links = []trace.LinkData{{TraceID: linked.data.TraceID, SpanID: trace.SpanID{linked.data.ID[0], linked.data.ID[1], linked.data.ID[2], linked.data.ID[3], 0, 0, 0, 4}}}
			linked.data.TraceID[15] = 1
			linked.data.Status = trace.Status(r.IntN(3))
		}
	}
	slices.SortStableFunc(all, func(a, b recordedSpan) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return all
}

// judgeLarge judges a recording with so much memory.
func judgeLarge(t *testing.T, recording []recordedSpan, bytes int64, refused ...trace.Refusal) (map[string]*assertions.Verdict, *Result, store.Stats) {
	t.Helper()
	in := inputs(t, bigFile)
	flows, err := RecordedMemberships(in)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(flows, RecordedStore(bytes))
	result, err := Check(t.Context(), CheckSettings{Inputs: in, Store: s, Read: func(_ context.Context, take func(trace.Batch) error) error {
		var w trace.Builder
		for batch := range slices.Chunk(recording, 50) {
			for i := range batch {
				name := textAttr("service.name", batch[i].service)
				w.SetResource(trace.ResourceData{Attrs: []trace.Attr{name}})
				w.Add(&batch[i].data)
			}
			if err := take(trace.Batch{Spans: w.Commit()}); err != nil {
				return err
			}
			if got := s.Stats().Bytes; bytes > 0 && got > bytes {
				t.Fatalf("%d bytes are taken, %d allowed", got, bytes)
			}
		}
		return take(trace.Batch{Refused: refused})
	}})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*assertions.Verdict{}
	for v := range result.Verdicts() {
		out[v.Instance+" "+v.Assertion.Name] = v
	}
	return out, result, s.Stats()
}

// A recording larger than the memory for spans gives the verdicts that it gives with
// memory enough, or says that it cannot tell.
func TestCheckMakesRoom(t *testing.T) {
	for seed := range uint64(4) {
		recording := largeRecording(rand.New(rand.NewPCG(seed, 0)), 6000)
		want, _, _ := judgeLarge(t, recording, 0)
		got, result, stats := judgeLarge(t, recording, 24<<20)
		if stats.Evicted < 2000 || len(got) != len(want) {
			t.Fatalf("seed %d: %d flows made room; %d verdicts, want %d", seed, stats.Evicted, len(got), len(want))
		}
		open := 0
		for key, v := range got {
			room := v.Outcome == assertions.Inconclusive && strings.Contains(v.Explanation().Why+strings.Join(v.Explanation().Try, ""), "--memory")
			if room {
				open++
			}
			switch w := want[key]; {
			case w == nil:
				t.Errorf("seed %d: %s: there is no such verdict with memory enough", seed, key)
			case v.Outcome == w.Outcome:
			case !room:
				t.Errorf("seed %d: %s: %v (%s), with memory enough %v (%s)", seed, key, v.Outcome, v.Explanation().Why, w.Outcome, w.Explanation().Why)
			}
		}
		t.Logf("seed %d: %d of %d verdicts are open for want of memory", seed, open, len(got))
		if open == 0 {
			t.Errorf("seed %d: no verdict is open for want of memory: nothing was tried", seed)
		}
		if result.Ended != EndedByRecording {
			t.Errorf("ended %v", result.Ended)
		}
	}
}

// What is left out of a recording late is missing to flows that were judged early.
func TestCheckMakesRoomAndLeavesOut(t *testing.T) {
	recording := largeRecording(rand.New(rand.NewPCG(7, 0)), 4000)
	got, _, _ := judgeLarge(t, recording, 24<<20, trace.Refusal{Reason: "a record that cannot be read", Spans: 1})
	for key, v := range got {
		if v.Outcome == assertions.Pass && v.Grade != assertions.NoAbsence {
			t.Fatalf("%s passes, though something was left out: %+v", key, v)
		}
	}
}

// What a flow would have had, but made room before there was a flow that wanted it, is
// missing to the flow, whatever would have joined it: its trace, a link, or a message.
func TestCheckMissesWhatMadeRoom(t *testing.T) {
	for name, tt := range map[string]struct{ spans, first string }{
		"of its trace":             {"shop  charge  internal  20..30ms  parent=#send error", "charge"},
		"that linked to it":        {"mail  process  consumer  20..30ms  link=#send error", "process"},
		"that had its message":     {"mail  process  consumer  20..30ms  messaging.destination.name=mails messaging.message.id=m-1 error", "process"},
		"below a link":             {"mail  process  consumer  20..30ms  link=#send\n  mail  render  internal  21..22ms  error", "render"},
		"beside what it linked to": {"mail  process  consumer  20..30ms  link=#send error", "send process"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := checkInLittle(t, "", tt.spans, tt.first)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcomes(r)["no error"]; got != assertions.Inconclusive {
				t.Errorf("the verdict is %v, though a span with an error made room", got)
			}
		})
	}
}

// A span may have the value of a flow that begins at the end of a recording.
func TestCheckKeepsWhatAKeyMayJoin(t *testing.T) {
	if _, err := checkInLittle(t, "stitch: {keys: [order.id]}", "mail  process  consumer  20..30ms  order.id=1 error", "process"); !errors.Is(err, store.ErrFull) {
		t.Errorf("error %v, want %v", err, store.ErrFull)
	}
}

// checkInLittle judges an order with some spans, of which those with the first names come
// before very many that are in no flow, and the others after these.
func checkInLittle(t *testing.T, stitch, spans, first string) (*Result, error) {
	t.Helper()
	const order = `
shop  order  server  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send messaging.destination.name=mails messaging.message.id=m-1
`
	before, after := trace.Batch{}, trace.Batch{}
	for _, s := range sketch.MustParse(order + spans).Spans() {
		if slices.Contains(strings.Fields(first), s.Name()) {
			before.Spans = append(before.Spans, s)
		} else {
			after.Spans = append(after.Spans, s)
		}
	}
	in := inputs(t, `
version: 1
flows:
  order:
    origin: name == "order"
    `+stitch+`
    expect: [{name: no error, that: 'none(spans, .status == "error")'}]
`)
	flows, err := RecordedMemberships(in)
	if err != nil {
		t.Fatal(err)
	}
	return Check(t.Context(), CheckSettings{Inputs: in, Store: store.New(flows, RecordedStore(20<<20)), Read: func(_ context.Context, take func(trace.Batch) error) error {
		if err := take(before); err != nil {
			return err
		}
		var w trace.Builder
		for n := range 10_000 {
			d := trace.SpanData{Name: "tidy up", Start: 1, End: 2, ID: trace.SpanID{1}, Attrs: []trace.Attr{textAttr("text", strings.Repeat(fmt.Sprint(n, " "), 400))}}
			binary.BigEndian.PutUint32(d.TraceID[:], uint32(n+1)<<8)
			if w.Add(&d); n%50 < 49 {
				continue
			}
			if err := take(trace.Batch{Spans: w.Commit()}); err != nil {
				return err
			}
		}
		return take(after)
	}})
}
