//go:build !race

package store_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// What the store says that it takes is what the heap grows by, within 15 percent.
func TestBytesAreThoseOfTheHeap(t *testing.T) {
	perTrace := trace.Membership{Flow: "f", Origin: named("origin")}
	job := func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.Str(), ok }
	tests := []struct {
		name  string
		flows []trace.Membership
		bytes int64 // the budget; 0 is the default
		send  func(x *heapLoad)
	}{
		{"spans in no flow", nil, 0, func(x *heapLoad) { x.traces(6000, 10, nil) }},
		{"small open flows", []trace.Membership{perTrace}, 0, func(x *heapLoad) { x.traces(20_000, 3, nil) }},
		{"single spans", []trace.Membership{perTrace}, 0, func(x *heapLoad) { x.traces(40_000, 1, nil) }},
		{"flows of several services that closed", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.services = 5
			x.traces(6000, 10, nil)
			x.store.Close(trace.ByEndOfRun)
			x.look(nil)
		}},
		{"large flows", []trace.Membership{perTrace}, 0, func(x *heapLoad) { x.traces(6, 10_000, nil) }},
		{"a session besides", []trace.Membership{perTrace, {Flow: "all", Opens: trace.OpensBySession}}, 0, func(x *heapLoad) { x.traces(6000, 10, nil) }},
		{"one flow for a value", []trace.Membership{{Flow: "f", Opens: trace.OpensByKey, Origin: func(trace.Span) bool { return true }, Per: job}}, 0,
			func(x *heapLoad) {
				x.traces(10_000, 3, func(d *trace.SpanData, n, i int) { x.attr(d, "job", fmt.Sprint("job ", n)) })
			}},
		{"correlation keys", []trace.Membership{{Flow: "f", Origin: named("origin"), Keys: by("order")}}, 0,
			func(x *heapLoad) {
				x.traces(10_000, 3, func(d *trace.SpanData, n, i int) { x.attr(d, "order", fmt.Sprint("order ", n)) })
			}},
		{"links and messages", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(10_000, 4, func(d *trace.SpanData, n, i int) {
				switch i {
				case 2:
					d.Kind = trace.Producer
					x.attr(d, "messaging.message.id", fmt.Sprint("m", n))
				case 3:
					d.Kind = trace.Consumer
					x.attr(d, "messaging.message.id", fmt.Sprint("m", n+1))
					d.Links = append(d.Links, trace.LinkData{TraceID: traceID(n + 2), SpanID: spanID(n+2, 1)})
				}
			})
		}},
		{"parents that never come", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(6000, 10, func(d *trace.SpanData, n, i int) {
				if i > 1 {
					d.Parent = spanID(n, 100+i)
				}
			})
		}},
		{"many processes", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.services = 5000
			x.traces(10_000, 3, nil)
		}},
		{"after much was evicted", []trace.Membership{perTrace}, 48 << 20, func(x *heapLoad) {
			x.release = true
			x.traces(60_000, 10, nil)
		}},
		{"after single spans were evicted", []trace.Membership{perTrace}, 48 << 20, func(x *heapLoad) {
			x.release = true
			x.traces(300_000, 1, nil)
		}},
		{"flows for a value, after eviction", []trace.Membership{{Flow: "f", Opens: trace.OpensByKey, Origin: func(trace.Span) bool { return true }, Per: job}}, 48 << 20,
			func(x *heapLoad) {
				x.release = true
				x.traces(2000, 100, func(d *trace.SpanData, n, i int) {
					x.attr(d, "job", fmt.Sprint("job ", n))
					x.attr(d, "body", fmt.Sprint(n, i, strings.Repeat("b", 500)))
				})
			}},
		{"correlation keys and messages, after eviction", []trace.Membership{{Flow: "f", Origin: named("origin"), Keys: by("order")}}, 48 << 20,
			func(x *heapLoad) {
				x.release = true
				x.traces(60_000, 5, func(d *trace.SpanData, n, i int) {
					x.attr(d, "order", fmt.Sprint("order ", n))
					x.attr(d, "messaging.message.id", fmt.Sprint("m", n))
					d.Kind = []trace.Kind{trace.Server, trace.Producer, trace.Consumer}[i%3]
				})
			}},
		{"one value of a correlation key", []trace.Membership{{Flow: "f", Origin: named("origin"), Keys: by("order")}}, 0,
			func(x *heapLoad) {
				x.traces(40_000, 1, func(d *trace.SpanData, n, i int) { x.attr(d, "order", "0") })
			}},
		{"long values of a correlation key", []trace.Membership{{Flow: "f", Origin: named("origin"), Keys: by("order")}}, 0,
			func(x *heapLoad) {
				x.traces(1000, 3, func(d *trace.SpanData, n, i int) {
					x.attr(d, "order", fmt.Sprint(n, strings.Repeat("o", 10_000)))
				})
			}},
		{"long attributes", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(100, 3, func(d *trace.SpanData, n, i int) {
				x.attr(d, "body", fmt.Sprint(n, i, strings.Repeat("b", 200_000)))
			})
		}},
		{"events", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(3000, 10, func(d *trace.SpanData, n, i int) {
				for e := range 5 {
					d.Events = append(d.Events, trace.EventData{Name: "event", Attrs: []trace.Attr{{Key: "n", Value: trace.IntValue(int64(1e12 + n*e))}}})
				}
			})
		}},
		{"links to spans that never come", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(5000, 4, func(d *trace.SpanData, n, i int) {
				for l := range 3 {
					d.Links = append(d.Links, trace.LinkData{TraceID: traceID(1e6 + n), SpanID: spanID(n, l), Flags: 0x100})
				}
				d.Flags = 0x101
			})
		}},
		{"links to one span that never comes", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(20_000, 3, func(d *trace.SpanData, n, i int) {
				d.Links = append(d.Links, trace.LinkData{TraceID: traceID(1e6), SpanID: spanID(1, 1)})
			})
		}},
		{"one message of many consumers", nil, 0, func(x *heapLoad) {
			x.traces(20_000, 3, func(d *trace.SpanData, n, i int) {
				d.Kind = trace.Consumer
				x.attr(d, "messaging.message.id", "0")
			})
		}},
		{"many destinations", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(20_000, 2, func(d *trace.SpanData, n, i int) {
				d.Kind, d.Parent = trace.Consumer, trace.SpanID{}
				x.attr(d, "messaging.destination.name", fmt.Sprint("a queue of its own for the request ", n))
			})
		}},
		{"many addresses", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(20_000, 2, func(d *trace.SpanData, n, i int) {
				d.Kind = trace.Client
				x.attr(d, "server.address", fmt.Sprint("a host of its own for the request ", n))
				if i == 2 {
					d.Kind = trace.Server
				}
			})
		}},
		{"many services", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.services = 100_000
			x.traces(20_000, 1, nil)
		}},
		{"many connections", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.connections = true
			x.traces(40_000, 1, nil)
		}},
		{"spans that came twice, and otherwise", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(5000, 10, nil)
			x.traces(5000, 10, nil)
			x.traces(5000, 10, func(d *trace.SpanData, n, i int) { d.Status = trace.Error })
		}},
		{"what SDKs dropped", []trace.Membership{perTrace}, 0, func(x *heapLoad) {
			x.traces(20_000, 3, func(d *trace.SpanData, n, i int) { d.DroppedAttrs = 1 })
		}},
		{"refused spans of as many traces", []trace.Membership{{Flow: "f", Origin: named("origin"), Timing: trace.Timing{Deadline: time.Hour}}}, 48 << 20,
			func(x *heapLoad) { x.traces(100_000, 1, nil) }},
		{"a flow that was cut", []trace.Membership{{Flow: "all", Opens: trace.OpensBySession}}, 48 << 20,
			func(x *heapLoad) { x.traces(40_000, 10, nil) }},
		{"what was refused", []trace.Membership{perTrace}, 48 << 20, func(x *heapLoad) { x.traces(40_000, 10, nil) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			done, cancel := context.WithCancel(t.Context())
			cancel()
			before := heapBytes()
			x := &heapLoad{services: 1, done: done, builder: &trace.Builder{}, store: store.New(tt.flows, store.Settings{Bytes: tt.bytes, Linger: time.Nanosecond})}
			tt.send(x)
			x.builder = nil
			taken, said := heapBytes()-before, x.store.Stats().Bytes
			t.Logf("the store says %.2f of what the heap grew by", float64(said)/float64(taken))
			if r := float64(said) / float64(taken); r < 0.85 || r > 1.15 {
				t.Errorf("the heap grew by %d, the store says %d, %.2f of it", taken, said, r)
			}
			if tt.bytes > 0 && said > tt.bytes {
				t.Errorf("the store takes %d bytes, %d are allowed", said, tt.bytes)
			}
			runtime.KeepAlive(x)
		})
	}
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// heapLoad sends made-up traffic to a store.
type heapLoad struct {
	store    *store.Store
	done     context.Context
	builder  *trace.Builder
	services int
	release  bool // what closes is let go
	// connections: each request comes over one of its own.
	connections bool
	requests    int
}

// traces sends traces of so many spans, the origin last, as change makes them.
func (x *heapLoad) traces(traces, spans int, change func(d *trace.SpanData, n, i int)) {
	for n := 1; n <= traces; n++ {
		for i := spans; i >= 1; i-- {
			service := fmt.Sprint("service ", (n+i)%x.services)
			x.builder.SetResource(trace.ResourceData{Attrs: []trace.Attr{
				{Key: "service.name", Value: trace.StringValue(service)}, {Key: "service.instance.id", Value: trace.StringValue(service)}}})
			d := trace.SpanData{Name: "work", Kind: trace.Internal, Start: trace.Time(1e18 + n), End: trace.Time(1e18 + n + 1000), TraceID: traceID(n), ID: spanID(n, i)}
			if d.Parent = spanID(n, i/2); i == 1 {
				d.Name, d.Parent = "origin", trace.SpanID{}
			}
			x.attr(&d, "http.route", fmt.Sprint("/order/", i%10))
			x.attr(&d, "number", fmt.Sprint(n, " ", i))
			if change != nil {
				change(&d, n, i)
			}
			x.builder.Add(&d)
			if i%100 == 1 {
				x.send()
			}
		}
		if n%100 == 0 || n == traces {
			x.look(func(f trace.Flow) {
				if x.release {
					x.store.CloseFlow(f, trace.ByVerdicts)
					x.store.Release(f)
				}
			})
		}
	}
}

func (x *heapLoad) send() {
	b := trace.Batch{Spans: x.builder.Commit(), Sender: "127.0.0.1:4711"}
	if x.requests++; x.connections {
		b.Sender = fmt.Sprint("127.0.0.1:", x.requests)
	}
	_ = x.store.Consume(x.done, b) // It may be full.
}

func (x *heapLoad) look(do func(trace.Flow)) {
	for {
		f, err := x.store.Next(x.done)
		if err != nil {
			return
		}
		if do != nil {
			do(f)
		}
	}
}

func (x *heapLoad) attr(d *trace.SpanData, key, value string) {
	d.Attrs = append(d.Attrs, trace.Attr{Key: key, Value: trace.StringValue(value)})
}
