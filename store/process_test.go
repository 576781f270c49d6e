package store_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

const sdk = "OTel-OTLP-Exporter-Python/1.30.0"

// straight are exporters that have a connection each.
func straight(service string) (string, string) {
	return map[string]string{"shop": "127.0.0.1:1", "stock": "127.0.0.1:2"}[service], sdk
}

// An order that the shop and the stock took part in, and what they did later.
const barrier = `
resource shop   followspan.run.id=r1
resource stock  followspan.run.id=r1
shop  order  0..50ms
  shop  call  client  1..20ms
    stock  reserve  2..10ms
`

func TestWatermarks(t *testing.T) {
	later := "shop  order  70..92ms\n  shop  call  client  71..91ms\n    stock  reserve  72..90ms\n"
	polls := "shop  poll  70..90ms\nstock  poll  70..90ms\n"
	tests := []struct {
		name, sketch string
		from         func(string) (string, string)
		want         string // the doubts; "" is proved
		early        bool   // complete by watermarks
	}{
		{"later spans of all", barrier + later, straight, "", true},
		{"later spans that are in no flow", barrier + polls, straight, "", false},
		{"earlier spans that are in no flow", strings.Replace(barrier, "shop  order", "shop  poll  internal  -20..-10ms\nshop  order", 1) + later, straight, "", true},
		{"a message that nobody has read", strings.Replace(barrier, "  shop  call", "  shop  send  producer  1..2ms  messaging.system=nats messaging.destination.name=orders\n  shop  call", 1) + later, straight, "", false},
		{"such a message among calls that nobody answered", strings.Replace(barrier, "  shop  call", "  shop  ask  client  1..2ms  server.address=gateway.example\n  shop  send  producer  3..4ms  messaging.system=nats messaging.destination.name=orders\n  shop  ask  client  5..6ms  server.address=gateway.example\n  shop  call", 1) + later, straight, "", false},
		{"of SDKs of Go", barrier + later, func(s string) (string, string) {
			sender, _ := straight(s)
			return sender, "OTel OTLP Exporter Go/1.37.0"
		}, "", true},
		{"by a clock that is far ahead", strings.NewReplacer("order  0..50ms", "order  1h..1.1h at=50ms", "order  70..92ms", "order  1.2h..1.3h at=92ms").Replace(barrier + later), straight, "shop: the times of its spans do not tell how late they arrive; stock: it has sent nothing since", false},
		{"no later span of one", barrier + "shop  poll  70..90ms", straight, "stock: it has sent nothing since", false},
		{"later spans that came before the flow's last", strings.Replace(barrier, "0..50ms", "0..50ms at=100ms", 1) + "shop  poll  70..90ms at=110ms\nstock  poll  70..90ms", straight,
			"stock: it has sent nothing since", false},
		{"a later span within the margin", barrier + "shop  poll  55..59ms\nstock  poll  70..90ms", straight, "shop: it has sent nothing since", false},
		{"a later span that ended before", barrier + "shop  poll  1..3ms  at=95ms\nstock  poll  70..90ms", straight, "shop: it has sent nothing since", false},
		{"a process that was not started by the run", strings.Replace(barrier, "shop   followspan.run.id=r1", "shop   followspan.run.id=r0", 1) + later, straight,
			"shop: followspan did not start it", false},
		{"a resource that names no process", barrier + "resource stock service.instance.id=\"\"\n" + later, straight,
			"stock: it shares a connection; stock: its resource names no process", false},
		{"through a Collector", barrier + later, func(s string) (string, string) {
			sender, _ := straight(s)
			return sender, "OpenTelemetry Collector/0.162.0 (linux/amd64)"
		}, "shop: its spans do not come straight from an SDK, but from OpenTelemetry Collector; stock: its spans do not come", false},
		{"over one connection", barrier + later, func(string) (string, string) { return "127.0.0.1:1", sdk },
			"shop: it shares a connection; stock: it shares a connection", false},
		{"from another machine", barrier + later, func(s string) (string, string) {
			return map[string]string{"shop": "127.0.0.1:1", "stock": "10.0.0.2:2"}[s], sdk
		}, "stock: it sends from another machine", false},
		{"over connections in turn", barrier + later, func() func(string) (string, string) {
			port := 0
			return func(string) (string, string) {
				port++
				return "127.0.0.1:" + string(rune('0'+port)), sdk
			}
		}(), "shop: it sends over several connections; stock: it sends over several", false},
		{"with a lag that may mean a full queue", barrier + "shop  poll  70..90ms  at=8s\nstock  poll  70..8000ms  at=8s", straight, "shop: its spans arrive 7.9s late", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
			p.From = tt.from
			early := false
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				for _, f := range p.Arrive(a) {
					early = early || f.State() == trace.Complete && f.Reason() == trace.ByWatermarks
				}
			}
			if early != tt.early {
				t.Errorf("complete by watermarks: %v", early)
			}
			closed := p.Close(trace.ByEndOfRun)[0]
			if got := doubts(closed); !matches(got, tt.want) {
				t.Errorf("doubts: got %q, want %q", got, tt.want)
			}
		})
	}
}

func doubts(f trace.Flow) (out []string) {
	for _, m := range f.Marks() {
		if m.Doubt != "" {
			out = append(out, m.Service+": "+m.Doubt)
		}
	}
	return out
}

// matches compares each doubt's beginning.
func matches(got []string, want string) bool {
	var wants []string
	if want != "" {
		wants = strings.Split(want, "; ")
	}
	if len(got) != len(wants) {
		return false
	}
	for i := range got {
		if !strings.HasPrefix(got[i], wants[i]) {
			return false
		}
	}
	return true
}

// A span that arrives after a flow was complete by watermarks opens it again.
func TestWatermarksAreNotTheLastWord(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
	p.From = straight
	arrivals := sketch.MustParse(barrier + "shop  order  70..92ms\n  shop  call  client  71..91ms\n    stock  reserve  72..90ms\n").Arrivals
	var f trace.Flow
	for _, a := range arrivals {
		for _, f = range p.Arrive(a) {
		}
	}
	if f.State() != trace.Complete {
		t.Fatalf("the flow is %v", f.State())
	}
	late := sketch.MustParse(strings.Replace(barrier, "  shop  call", "  shop  more  internal  40..300ms\n  shop  call", 1)).Arrivals
	got := p.Arrive(late[len(late)-1])
	if len(got) != 1 || got[0].State() != trace.Open || got[0].Reason() != trace.NotClosed {
		t.Errorf("after a late span: %v", got)
	}
}

// What ended in good order has sent all, unless it is seen to have lost something.
func TestFlushed(t *testing.T) {
	tests := []struct{ name, sketch, want string }{
		{"whole", barrier, ""},
		{"a parent that ended and never came", barrier + "shop  lost  internal  60..69ms at=10s\n  shop  query  client  61..68ms\n", "shop: a span of it never arrived: the parent of query"},
		{"a process of somebody else", barrier + "mail  poll  1..2ms", "mail: followspan did not start it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			flows := []trace.Membership{{Flow: "f", Origin: named("order")}, {Flow: "all", Opens: trace.OpensByTrace}}
			p := storetest.New(flows, store.Settings{RunID: "r1"})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				if a.At.Sub(sketch.Base) < 5*time.Second {
					p.Arrive(a)
				}
			}
			p.Store.Flushed()
			var got []string
			for _, f := range p.Close(trace.ByEndOfRun) {
				got = doubts(f)
			}
			if !matches(got, tt.want) {
				t.Errorf("doubts: got %q, want %q", got, tt.want)
			}
		})
	}
}

// A recording may hold less than was sent, whoever it says had sent it.
func TestARecordingProvesNothing(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1", Recorded: true})
	p.From = straight
	p.Arrive(sketch.MustParse(barrier).Arrivals...)
	if got := doubts(p.Close(trace.ByEndOfRecording)[0]); !matches(got, "shop: a recording; stock: a recording") {
		t.Errorf("doubts: %q, want that it is a recording", got)
	}
}

// Over more connections than are told apart anybody may send.
func TestVeryManyConnections(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunID: "r1"})
	var w trace.Builder
	for i := range 1 << 16 {
		w.Add(&trace.SpanData{TraceID: trace.TraceID{9}, ID: trace.SpanID{1, byte(i), byte(i >> 8)}})
		if err := p.Store.Consume(t.Context(), trace.Batch{Spans: w.Commit(), Sender: fmt.Sprint("127.0.0.1:", i), UserAgent: sdk}); err != nil {
			t.Fatal(err)
		}
	}
	p.From = func(string) (string, string) { return "127.0.0.2:1", sdk }
	p.Arrive(sketch.MustParse("resource shop followspan.run.id=r1\nshop  order  0..50ms").Arrivals...)
	if got := doubts(p.Close(trace.ByEndOfRun)[0]); !slices.ContainsFunc(got, func(d string) bool { return strings.HasPrefix(d, "shop: more connections came") }) {
		t.Errorf("doubts: %q, want one of shop's connection", got)
	}
}

// An SDK's queue that ran over shows in what is left: a queue's worth of spans in full
// batches back to back, or full batches and children without their parents.
func TestAFullQueueIsALoss(t *testing.T) {
	tests := []struct {
		name         string
		spans, batch int
		at           string // when they arrive
		orphan       bool
		want         string
		settings     store.Settings
		userAgent    string
	}{
		{"full batches, and a parent is missing", 400, 200, "at=5s", true, "parents are missing", store.Settings{}, ""},
		{"small batches", 400, 50, "at=5s", true, "", store.Settings{}, ""},
		{"a queue's worth in full batches", 2048, 512, "at=5s", false, "2048 and more", store.Settings{}, ""},
		{"a queue's worth, by a clock that is ahead", 2048, 512, "at=1ms", false, "2048 and more", store.Settings{}, ""},
		{"nearly as much", 2000, 512, "at=5s", false, "", store.Settings{}, ""},
		{"as much, as fast as it comes", 2048, 512, "", false, "", store.Settings{}, ""},
		{"as much in small batches", 2048, 99, "at=5s", false, "", store.Settings{}, ""},
		{"batches of two sizes, and a parent is missing", 350, 200, "at=5s", true, "", store.Settings{}, ""},
		{"full batches as fast as it comes, and a parent is missing", 400, 200, "", true, "", store.Settings{}, ""},
		{"a queue's worth of an SDK", 2048, 512, "at=5s", false, "2048 and more", store.Settings{}, sdk},
		{"a queue's worth behind a Collector", 2048, 512, "at=5s", false, "", store.Settings{}, "OpenTelemetry Collector/0.162.0 (linux/amd64)"},
		{"a queue's worth of a process that the run started", 2048, 512, "at=5s", false, "", store.Settings{RunID: "r1"}, ""},
		{"a queue's worth in a recording", 2048, 512, "at=5s", false, "", store.Settings{Recorded: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			fmt.Fprintf(&b, "resource shop followspan.run.id=r1\nshop  order  0..3s %s", cmp.Or(tt.at, "at=5s"))
			for i := range tt.spans - 1 {
				fmt.Fprintf(&b, "\n  shop  step %d  internal  %dms..%dms %s", i, 1+i, 2+i, tt.at)
			}
			if tt.orphan {
				b.WriteString("\n  shop  lost  internal  1ms..450ms  at=1h\n    shop  query  client  1ms..401ms " + tt.at)
			}
			p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByTrace}}, tt.settings)
			p.From = func(string) (string, string) { return "127.0.0.1:1", tt.userAgent }
			var sent []sketch.Arrival
			for _, a := range sketch.MustParse(b.String()).Arrivals {
				if a.Span.Name() != "lost" {
					sent = append(sent, a)
				}
			}
			for batch := range slices.Chunk(sent, tt.batch) {
				p.Arrive(batch...)
			}
			var got []string
			for _, l := range p.Close(trace.ByEndOfRun)[0].Losses() {
				got = append(got, l.What)
			}
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("losses %q, want %q", got, tt.want)
			}
		})
	}
}

// A flow that was judged hears that a queue ran over while it was under way, be it when
// the first of what filled it had ended, and no flow that had closed before.
func TestAFullQueueIsHeardOfLater(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{})
	text := "front  order  0..50ms at=100ms\nfront  order  50..100ms at=200ms\n"
	for batch := range 4 {
		text += strings.Repeat(fmt.Sprintf("shop  step  internal  10..%dms at=3s\n", 150+500*batch), 512)
	}
	all := sketch.MustParse(text).Arrivals
	for _, a := range all[:2] {
		f := p.Arrive(a)[0]
		if len(f.Losses()) > 0 {
			t.Fatalf("losses %v", f.Losses())
		}
		p.Store.CloseFlow(f, trace.BySilence)
	}
	told := map[trace.Time]int{}
	for batch := range slices.Chunk(all[2:], 512) {
		for _, f := range p.Arrive(batch...) {
			n, _ := f.Origin()
			told[f.Span(n).Start()] = len(f.Losses())
		}
	}
	if want := map[trace.Time]int{sketch.Base.Add(50 * time.Millisecond): 1}; !maps.Equal(told, want) {
		t.Errorf("flows that were handed out, by their starts, have so many losses: %v, want %v", told, want)
	}
}

// A span that only a correlation key joined may hang below a span of the flow, with its
// context lost: it spoils what its service would prove.
func TestAKeyIsNoProofOfACause(t *testing.T) {
	for rule, tt := range map[string]struct{ sketch, want string }{
		"by key":         {"shop  order  0..50ms  order.id=1\nstock  reserve  server  10..20ms  order.id=1", "reserve"},
		"as a child":     {"shop  order  0..50ms  order.id=1\n  stock  reserve  server  10..20ms  order.id=1", ""},
		"by key at once": {"shop  order  0..50ms  order.id=1  at=1ms\n  shop  call  client  5..30ms  at=1s\n    stock  reserve  server  10..20ms  order.id=1  at=2ms", ""},
	} {
		t.Run(rule, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Keys: by("order.id")}}, store.Settings{})
			p.Arrive(sketch.MustParse(tt.sketch).Arrivals...)
			var f trace.Flow
			for _, f = range p.Close(trace.ByEndOfRun) {
			}
			got := ""
			for _, m := range f.Marks() {
				got += m.Stray
			}
			if f.Len() < 2 || got != tt.want {
				t.Errorf("strays %q, want %q: %s", got, tt.want, describe(f))
			}
		})
	}
}
