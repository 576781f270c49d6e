package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func named(name string) func(trace.Span) bool {
	return func(s trace.Span) bool { return s.Name() == name }
}

// by correlates by one attribute of spans.
func by(key string) []trace.Correlation {
	return []trace.Correlation{{Key: key, Of: func(s trace.Span) (trace.Value, bool) { return s.Attr(key) }}}
}

// describe renders a flow: its members with the rules that joined them, then what is open.
func describe(f trace.Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", f.Declaration, f.State(), f.Reason())
	if f.Cut() > 0 {
		fmt.Fprintf(&b, " cut=%d", f.Cut())
	}
	b.WriteString("\n")
	for i := range f.Len() {
		n := f.Member(i)
		fmt.Fprintf(&b, "  %s %s (%s)", f.Span(n).Service(), f.Span(n).Name(), f.JoinedBy(n))
		if f.Copies(n) > 1 {
			fmt.Fprintf(&b, " x%d", f.Copies(n))
		}
		b.WriteString("\n")
	}
	for _, e := range f.OpenEdges() {
		fmt.Fprintf(&b, "  open: %s", e.Kind)
		if e.Node != trace.None {
			fmt.Fprintf(&b, " of %s", f.Span(e.Node).Name())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestMembership(t *testing.T) {
	tests := []struct {
		name, sketch, want string
		m                  trace.Membership
	}{
		{
			name: "a trace, whatever the order of arrival",
			sketch: `
shop  order    0..50ms
  shop  query  client  10..20ms
other  job     0..5ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop query (trace)
`,
		},
		{
			name: "a link joins forwards, with what hangs under it",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
email  process orders  consumer 60..90ms  link=#pub
  email  smtp  client  70..80ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (link)
  email smtp (parent)
`,
		},
		{
			name: "never backwards: a batch consumer does not merge what it consumed",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #other
email  process orders  consumer 60..90ms  link=#pub link=#other`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (link)
`,
		},
		{
			name: "a message joins by its id",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 15..90ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 16..91ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m2`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (message)
`,
		},
		{
			name: "links are followed up to the limit",
			sketch: `
shop  order  0..50ms  #a
b  b  consumer  60..70ms  link=#a #b
c  c  consumer  80..90ms  link=#b #c
d  d  consumer  90..95ms  link=#c`,
			want: `
f closed end of the recording cut=1
  shop order (origin)
  b b (link)
  c c (link)
`,
			m: trace.Membership{Hops: 2},
		},
		{
			name: "an origin under another origin starts no instance",
			sketch: `
shop  order    0..50ms
  shop  retry  internal  5..45ms
    shop  order  10..20ms`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
  shop order (trace)
  shop retry (trace)
`,
		},
		{
			name: "two origins in one trace part it",
			sketch: `
test  suite  internal  0..100ms
  shop  order  10..20ms
    shop  a  internal  11..12ms
  shop  order  30..40ms
    shop  b  internal  31..32ms`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
  shop a (parent)
f closed end of the recording
  shop order (origin)
  shop b (parent)
`,
		},
		{
			name: "a correlation key joins what shares its value and starts later",
			sketch: `
old    audit  0..1ms  order.id=o-1
shop   order            5..50ms  order.id=o-1
mail   send             60..90ms  order.id=o-1
  mail  smtp  client  70..80ms
mail   send             60..90ms  order.id=o-2`,
			want: `
f closed end of the recording
  shop order (origin)
  mail send (correlation key)
  mail smtp (parent)
`,
			m: trace.Membership{Keys: by("order.id")},
		},
		{
			name: "a value under two origins joins nothing",
			sketch: `
shop   order  5..50ms   tier=gold
mail   send   60..90ms  tier=gold
shop   order  70..95ms  tier=gold`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
`,
			m: trace.Membership{Keys: by("tier")},
		},
		{
			name: "a key groups the spans that have it, within one trace too",
			sketch: `
queue  order  0..9ms  job=1
  queue  step  1..2ms
  queue  order  3..8ms  job=2
queue  order  20..29ms  job=1`,
			want: `
f closed end of the recording
  queue order (origin)
f closed end of the recording
  queue order (origin)
  queue order (origin)
  queue step (parent)
  queue order (parent)
`,
			m: trace.Membership{Opens: trace.OpensByKey, Per: func(s trace.Span) (string, bool) {
				v, ok := s.Attr("job")
				return v.String(), ok
			}},
		},
		{
			name: "a value without an origin groups the spans that have it, and no others",
			sketch: `
queue  order  0..9ms  job=1 #p
  queue  step  1..2ms
work  order  20..29ms  job=1 link=#p
work  order  20..29ms  job=2 link=#p`,
			want: `
f closed end of the recording
  queue order (origin)
  work order (origin)
f closed end of the recording
  work order (origin)
`,
			m: trace.Membership{Opens: trace.OpensByKey, Scope: trace.ScopeValue, Per: func(s trace.Span) (string, bool) {
				v, ok := s.Attr("job")
				return v.String(), ok
			}},
		},
		{
			name: "an equal copy counts once more, circles do no harm",
			sketch: `
shop  order  0..50ms
  copy at=60ms
  shop  x  internal  1..2ms  #x parent=#y
  shop  y  internal  1..3ms  #y parent=#x`,
			want: `
f closed end of the recording
  shop order (origin) x2
  shop x (trace)
  shop y (trace)
  open: parent of x
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.Flow, tt.m.Origin = "f", named("order")
			var got strings.Builder
			got.WriteString("\n")
			p := storetest.New([]trace.Membership{tt.m}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				for _, f := range p.Arrive(a) {
					if f.State() == trace.Retracted {
						got.WriteString("f retracted\n")
					}
				}
			}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got.WriteString(describe(f))
			}
			// Members join as they arrive; the table shows them by name.
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(got.String())); diff != "" {
				t.Errorf("(-want +got)\n%s\nin full:%s", diff, got.String())
			}
		})
	}
}

// sortedLines sorts the indented lines under each line at the margin.
func sortedLines(s string) string {
	blocks := strings.Split(strings.ReplaceAll(strings.Trim(s, "\n"), "\n  ", "\x00"), "\n")
	for i, b := range blocks {
		lines := strings.Split(b, "\x00")
		slices.Sort(lines[1:])
		blocks[i] = strings.Join(lines, "\n  ")
	}
	return strings.Join(blocks, "\n")
}

func TestOpenEdges(t *testing.T) {
	tests := []struct{ name, sketch, want string }{
		{"a parent that has not arrived", `
shop  order  0..50ms
  shop  lost  internal  5..45ms  at=10s
    shop  query  client  10..20ms`, "parent of query"},
		{"above the origin is outside", `
shop  order  0..50ms  parent=missing`, ""},
		{"a client of an instrumented peer", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock server.port=1
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  server.address=stock server.port=1`, "server span of call again"},
		{"a client that failed waits for nothing", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  error server.address=stock`, ""},
		{"an un-instrumented peer", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=gateway.example`, ""},
		{"an answer that began a trace of its own", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  12..19ms`, "server span of call, maybe reserve"},
		{"a request at another time", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  22..29ms`, ""},
		{"a request on another machine, whose clock is near enough", `
resource stock host.id=h2
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  22..29ms`, "server span of call, maybe reserve"},
		{"a request that took longer than the call", `
resource stock host.id=h2
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  12..29ms`, ""},
		{"a request to another address", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=gateway.example
stock  reserve  12..19ms  server.address=stock`, ""},
		{"a request that a link explains", `
shop   order    0..50ms  #order
  shop  call  client  10..20ms  server.address=gateway.example
stock  reserve  12..19ms  link=#order`, ""},
		{"a database", `
shop  order  0..50ms
  shop  SELECT  client  1..10ms  db.system.name=sqlite`, ""},
		{"a message to a destination with known consumers", `
mail  process  consumer  1..2ms  messaging.system=nats messaging.destination.name=orders
shop  order  0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send, maybe process"},
		{"a message to nobody known", `
shop  order  0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				if a.At.Sub(sketch.Base) < 5*time.Second {
					p.Arrive(a)
				}
			}
			flows := p.Close(trace.ByEndOfRun)
			var got []string
			for _, e := range flows[0].OpenEdges() {
				text := e.Kind.String() + " of " + flows[0].Span(e.Node).Name()
				for _, n := range e.Strays {
					text += ", maybe " + flows[0].Span(n).Name()
				}
				got = append(got, text)
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("open edges: got %q, want %q", g, tt.want)
			}
		})
	}
}

func TestCompleteness(t *testing.T) {
	arrivals := sketch.MustParse(`
shop  order  0..50ms
  shop  slow  internal  1..40ms  at=45ms
    shop  query  client  2..20ms`).Arrivals
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Timing: trace.Timing{Deadline: 3 * time.Second}}}, store.Settings{})
	for _, a := range arrivals {
		p.Arrive(a)
	}
	if got := p.Wait(499 * time.Millisecond); len(got) > 0 {
		t.Fatalf("after 499ms of silence: %s", describe(got[0]))
	}
	got := p.Wait(time.Millisecond)
	if len(got) != 1 || got[0].State() != trace.Complete {
		t.Fatalf("after 500ms of silence: got %d flows, want one that is complete", len(got))
	}
	if got = p.Wait(3 * time.Second); len(got) != 1 || got[0].Reason() != trace.ByDeadline {
		t.Fatalf("at the deadline: got %d flows, want one closed by it", len(got))
	}
	late := sketch.MustParse(`
shop  order  0..50ms
  shop  a     internal  1..2ms
  shop  b     internal  1..2ms
  shop  late  internal  1..2ms  at=10s`).Arrivals[3]
	if got = p.Arrive(late); len(got) != 1 || got[0].State() != trace.Closed || got[0].Len() != 4 {
		t.Errorf("a late span: got %v", got)
	}
}

func TestUnknownLagNeedsALongerSilence(t *testing.T) {
	a := sketch.MustParse("shop  order  1h..1.1h at=10ms").Arrivals[0] // a clock that is an hour ahead
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	p.Arrive(a)
	if got := p.Wait(5 * time.Second); len(got) > 0 {
		t.Fatalf("complete after 5s: %s", describe(got[0]))
	}
	if got := p.Wait(500 * time.Millisecond); len(got) != 1 || got[0].State() != trace.Complete {
		t.Fatal("not complete after 5.5s")
	}
}

func TestTrigger(t *testing.T) {
	s := sketch.MustParse(`
followspan  POST /order  client  0..60ms
  shop  order  1..50ms`)
	var root trace.Span
	for _, sp := range s.Spans() {
		if sp.Service() == "followspan" {
			root = sp
		}
	}
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrigger}}, store.Settings{})
	if _, err := p.Store.Expect("f", root.TraceID(), root.ID()); err != nil {
		t.Fatal(err)
	}
	first := p.Arrive(s.Arrivals[0])[0]
	if e := first.OpenEdges(); len(e) != 1 || e[0].Kind != trace.WaitsForOrigin {
		t.Errorf("before the trigger ended: open edges %v", e)
	}
	f := p.Arrive(s.Arrivals[1])[0]
	if n, ok := f.Trigger(); !ok || f.Span(n) != root {
		t.Error("the trigger's span is not recognised")
	}
	if len(f.OpenEdges()) != 0 || len(f.Spans()) != 1 || f.Len() != 2 {
		t.Errorf("got %s", describe(f))
	}
	if _, err := p.Store.Expect("g", root.TraceID(), root.ID()); err == nil {
		t.Error("an undeclared flow is expected without an error")
	}
}

func TestMemoryLimit(t *testing.T) {
	s := sketch.MustParse("shop  order  0..50ms\n  shop  a  internal  1..2ms")
	var other trace.Builder
	other.Add(&trace.SpanData{TraceID: s.Arrivals[0].Span.TraceID(), ID: trace.SpanID{9}, Name: "refused"})
	refused := trace.Batch{Spans: other.Commit()}
	st := store.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{Bytes: s.Arrivals[0].Span.Block().Size()})
	ctx := t.Context()
	if err := st.Consume(ctx, trace.Batch{Spans: s.Spans()}); err != nil {
		t.Fatal(err)
	}
	if err := st.Consume(ctx, refused); !errors.Is(err, store.ErrFull) {
		t.Fatalf("beyond the limit: error %v, want ErrFull", err)
	}
	st.Close(trace.ByEndOfRun)
	f, err := st.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if l := f.Losses(); len(l) != 1 || l[0].Count != 1 {
		t.Errorf("losses %v, want one refused span", l)
	}
	if got := st.Stats().Refused; got != 1 {
		t.Errorf("refused %d spans, want 1", got)
	}
}

// Eight exporters send one trace in random order while readers walk what is there.
func TestConcurrentExportersLoseNothing(t *testing.T) {
	const exporters, each = 8, 2500
	st := store.New([]trace.Membership{{Flow: "f", Origin: named("root")}}, store.Settings{})
	var wg sync.WaitGroup
	for e := range exporters {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(e)))
			var w trace.Builder
			w.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(fmt.Sprint("svc", e))}}})
			for sent := 0; sent < each; {
				for range min(1+r.IntN(50), each-sent) {
					i := e*each + sent
					d := trace.SpanData{TraceID: trace.TraceID{1}, ID: numbered(i + 1), Name: "child", Kind: trace.Internal, Start: 1, End: 2}
					if i == 0 {
						d.Name = "root"
					} else {
						d.Parent = numbered(1 + r.IntN(i))
					}
					w.Add(&d)
					sent++
				}
				if err := st.Consume(context.Background(), trace.Batch{Spans: w.Commit(), Received: 3}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		st.Close(trace.ByEndOfRun)
		close(done)
	}()
	most := 0
	for {
		f, err := st.Next(t.Context())
		if err != nil {
			break
		}
		most = max(most, walk(f))
	}
	<-done
	if most != exporters*each {
		t.Errorf("the flow has %d spans, want %d", most, exporters*each)
	}
}

func walk(f trace.Flow) int {
	for i := range f.Len() {
		n := f.Member(i)
		if p, ok := f.Parent(n); ok {
			_ = f.Span(p).Name()
		}
		for c := range f.Children(n) {
			_ = f.Span(c).Service()
		}
	}
	return f.Len()
}

func numbered(n int) (id trace.SpanID) {
	for i := range 8 {
		id[7-i] = byte(n >> (8 * i))
	}
	return id
}

// What was refused for good is a loss to the flows that were under way.
func TestRefusedDataIsALossToOpenFlows(t *testing.T) {
	refused := trace.Batch{Received: sketch.Base.Add(20 * time.Millisecond), Refused: []trace.Refusal{{Service: "stock", Reason: "span id is all zero", Spans: 2}}}
	tests := []struct {
		name, sketch string
		at           time.Duration
		want         int
	}{
		{"before its origin arrived", "shop  order  0..50ms", 0, 1},
		{"while it was open", "shop  order  0..5ms", 30 * time.Millisecond, 1},
		{"before it began", "shop  order  500..505ms", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
			if tt.at == 0 {
				_ = p.Store.Consume(t.Context(), refused)
			}
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				p.Arrive(a)
			}
			if tt.at > 0 {
				p.Wait(tt.at)
				_ = p.Store.Consume(t.Context(), refused)
			}
			f := p.Close(trace.ByEndOfRun)[0]
			if got := f.Losses(); len(got) != tt.want {
				t.Errorf("losses %v, want %d", got, tt.want)
			}
		})
	}
}
