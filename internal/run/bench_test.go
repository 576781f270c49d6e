package run

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// benchFlow has 40 selectors and 50 assertions, of which one waits for the last
// span; it is what latches in the benchmark.
func benchFlow() string {
	var b strings.Builder
	b.WriteString("version: 1\nspans:\n  final: name == \"last\"\n")
	for i := range 40 {
		fmt.Fprintf(&b, "  s%d: service == \"svc-%d\" and kind == \"server\" and attrs.item != %d\n", i, i%10, i)
	}
	b.WriteString("flows:\n  load:\n    origin: name == \"root\"\n    expect:\n      - final.exists\n")
	for i := range 49 {
		switch i % 5 {
		case 0:
			fmt.Fprintf(&b, "      - s%d.count <= 100000\n", i%40)
		case 1:
			fmt.Fprintf(&b, "      - all(s%d, .duration < 1h)\n", i%40)
		case 2:
			fmt.Fprintf(&b, "      - none(s%d, .status == \"error\")\n", i%40)
		case 3:
			fmt.Fprintf(&b, "      - s%d.count == 100000 or s%d.empty or s%d.exists\n", i%40, i%40, i%40)
		case 4:
			fmt.Fprintf(&b, "      - len(distinct(s%d, .service.version)) <= 1\n", i%40)
		}
	}
	return b.String()
}

// BenchmarkVerdictLatency is the time from the arrival of the last span that a
// verdict needs to that verdict, in a flow of the given size.
func BenchmarkVerdictLatency(b *testing.B) {
	suite, problems := assertions.Load(diag.NewSource("load.flow.yaml", benchFlow()), assertions.Options{})
	if problems.HasErrors() {
		b.Fatal(diag.Style{}.RenderAll(problems))
	}
	for _, spans := range []int{20, 1000, 10000} {
		b.Run(fmt.Sprintf("spans=%d", spans), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				inputs := []Input{{Suite: suite}}
				st := store.New(Memberships(inputs), store.Settings{})
				r := newRunner(Settings{Inputs: inputs, Store: st})
				all := benchSpans(spans)
				for len(all) > 1 {
					n := min(100, len(all)-1)
					judgeBatch(b, r, all[:n])
					all = all[n:]
				}
				b.StartTimer()
				judgeBatch(b, r, all)
				b.StopTimer()
				if !latched(r, "final.exists") {
					b.Fatal("the last span decided nothing")
				}
			}
		})
	}
}

// judgeBatch is what a run does with one request.
func judgeBatch(b *testing.B, r *runner, spans []trace.Span) {
	b.Helper()
	if err := r.Store.Consume(b.Context(), trace.Batch{Spans: spans}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for {
		f, err := r.Store.Next(ctx)
		if err != nil {
			return
		}
		r.judge(f)
	}
}

func latched(r *runner, name string) bool {
	for _, j := range r.byRecord {
		for _, v := range j.verdicts {
			if v.Assertion.Name == name && v.Outcome == assertions.Pass && v.Early {
				return true
			}
		}
	}
	return false
}

// benchSpans is one trace of clients and servers of ten services; the root comes
// first, so that the flow is open from the beginning.
func benchSpans(n int) []trace.Span {
	var w trace.Builder
	for i := range n {
		service := fmt.Sprint("svc-", i%10)
		w.SetResource(trace.ResourceData{Attrs: []trace.Attr{textAttr("service.name", service), textAttr("service.instance.id", service), textAttr("service.version", "1.0")}})
		d := trace.SpanData{TraceID: trace.TraceID{1}, Name: fmt.Sprint("work ", i), Kind: trace.Server + trace.Kind(i%2), Start: trace.Time(1e18 + i*1000), End: trace.Time(1e18 + 1e9 - i*1000)}
		binary.BigEndian.PutUint64(d.ID[:], uint64(i+1))
		d.Attrs = []trace.Attr{intAttr("item", i), textAttr("http.route", "/checkout"), intAttr("http.response.status_code", 200)}
		switch i {
		case 0:
			d.Name = "root"
		case n - 1:
			d.Name = "last"
		}
		if i > 0 {
			binary.BigEndian.PutUint64(d.Parent[:], uint64((i-1)/2+1))
		}
		w.Add(&d)
	}
	return w.Commit()
}
