package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

func TestInconclusive(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{Reason: trace.ByDeadline, Now: 1767225610_000_000_000,
		Edges:  []trace.OpenEdge{{Kind: trace.WaitsForServer, Node: 5, Strays: []trace.Node{0}}},
		Losses: []trace.Loss{{What: "spans refused: memory limit", Count: 1200}}, Cut: 2})
	v := w.failed("payment.count == 1", assertions.Evidence{
		Why:    "it holds so far, but a call to payment has no server span",
		Values: w.values("payment.count == 1", "payment.count", "1"),
		Try:    []string{"wait longer: timing.deadline", "instrument cards.example"},
	})
	v.Outcome, v.Grade = assertions.Inconclusive, assertions.Unproved
	golden(t, "inconclusive.txt", textOf(t, w.result(append(w.good(), v)...), TextSettings{}))
}

func TestNeverHappened(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	golden(t, "never-happened.txt", textOf(t, w.neverHappened(), TextSettings{}))
}

// neverHappened is a run in which spans arrived, but none that starts the flow.
func (w *world) neverHappened() *run.Result {
	r := w.result()
	r.Files[0].Flows[0].Instances = nil
	r.Files[0].Flows[0].Runs = &assertions.Verdict{Outcome: assertions.Fail,
		Assertion: &assertions.Assertion{Flow: "checkout", Name: "runs: at least 1", Kind: assertions.KindRuns,
			Range: w.at(`origin: service == "frontend" and http.route == "/checkout"`)},
		Evidence: &assertions.Evidence{Why: "no span matched the origin",
			Near: []assertions.NearMiss{{Span: w.ref("root"), Holds: 1, Of: 2, Fails: `http.route == "/checkout"`, Actual: "http.route is missing", OtherTrace: true}}}}
	return r
}

func TestNothingArrived(t *testing.T) {
	r := &run.Result{Duration: 30 * time.Second, Files: []run.FileResult{{Name: "checkout.flow.yaml", Flows: []run.FlowResult{{Name: "checkout"}}}}}
	golden(t, "empty.txt", textOf(t, r, TextSettings{}))
}

func TestSteps(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	r := w.result(w.good()...)
	r.Ended = run.EndedByInterrupt
	r.Steps = []run.Step{
		{Kind: run.StepSystem, Name: "go run ./system", Duration: 2 * time.Second, ExitCode: -1},
		{Kind: run.StepTrigger, Name: "POST http://127.0.0.1:8080/checkout", Duration: 12 * milli, ExitCode: -1, Err: "dial tcp 127.0.0.1:8080: connect: connection refused"},
		{Kind: run.StepCommand, Name: "go test ./e2e", Duration: 1400 * milli, ExitCode: 1, Output: []string{"--- FAIL: TestCheckout (0.41s)", "\x1b[31mred\x1b[0m\tfail", "FAIL"}},
		{Kind: run.StepCommand, Name: "gotest ./...", ExitCode: -1, Err: `exec: "gotest": executable file not found in $PATH`},
	}
	golden(t, "steps.txt", textOf(t, r, TextSettings{}))
}

func TestManyInstances(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	r := w.result(w.good()...)
	flow := &r.Files[0].Flows[0]
	good := flow.Instances[0]
	bad := run.InstanceResult{Flow: w.flow, Verdicts: append(w.good()[:2:2], w.failed("email.exists", assertions.Evidence{Why: "no span is an email"}))}
	flow.Instances = []run.InstanceResult{good, good, bad, good, good, good}
	flow.Runs = &assertions.Verdict{Outcome: assertions.Pass, Assertion: &assertions.Assertion{Flow: "checkout", Name: "runs: exactly 6", Kind: assertions.KindRuns}}
	r.Warnings = []diag.Diagnostic{{Severity: diag.Warning, What: "the selector email matched nothing in this run", Range: w.at(`service == "email" and kind == "consumer"`),
		Label: "nearest: email/process orders, kind is \"server\""}}
	r.Received.Refused = []trace.Loss{{What: "requests that could not be decoded", Count: 3}}
	r.Received.Unjoined = []run.ServiceCount{{Service: "cron", Spans: 3}, {Service: "poller", Spans: 1200}}
	golden(t, "instances.txt", textOf(t, r, TextSettings{}))
}

// Instances in which the same is wrong are listed and explained a few times and then
// counted, unless all are wanted.
func TestManyTroubles(t *testing.T) {
	w := newWorld("shop  order  server  0..100ms", trace.FlowState{})
	verdicts := func(outcomes ...assertions.Outcome) (all []assertions.Verdict) {
		for i, name := range []string{"payment.count == 1", "email.exists"} {
			v := w.failed(name, assertions.Evidence{Why: "it is not so"})
			v.Outcome = outcomes[i]
			all = append(all, v)
		}
		return all
	}
	r := w.result()
	flow := &r.Files[0].Flows[0]
	flow.Instances = nil
	for range 1000 {
		for _, v := range [][]assertions.Verdict{
			verdicts(assertions.Pass, assertions.Pass), verdicts(assertions.Fail, assertions.Pass), verdicts(assertions.Pass, assertions.Inconclusive),
		} {
			flow.Instances = append(flow.Instances, run.InstanceResult{Flow: w.flow, Verdicts: v})
		}
	}
	flow.Instances = append(flow.Instances, run.InstanceResult{Flow: w.flow, Verdicts: verdicts(assertions.Fail, assertions.Fail)})
	golden(t, "troubles.txt", textOf(t, r, TextSettings{}))
	all := textOf(t, r, TextSettings{Verbose: true})
	if n := strings.Count(all, "  checkout   flow "); n != 3001 {
		t.Errorf("-v lists %d instances of 3001", n)
	}
}

func TestValuesWithoutRoom(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	long := "len(distinct(spans, .deployment.environment.name)) == 1"
	v := w.failed(long, assertions.Evidence{Why: "2 values, 1 allowed: production and staging",
		Values: w.values(long, "distinct(spans, .deployment.environment.name)", `["production", "staging"]`, "==", "false")})
	several := w.failed("payment.count <= 1", assertions.Evidence{Why: "2 payments",
		Values: append(w.values("payment.count <= 1", "payment.count", "2"), w.values("email.count <= 1", "email.count", "1")...)})
	several.Assertion.Range = w.at("payment.count <= 1\n          and email.count <= 1")
	golden(t, "values-60.txt", textOf(t, w.result(v, several), TextSettings{Width: 60}))
}

// bigWorld is a flow of about n spans: a loop with many calls, one of which fails,
// deep below it.
func bigWorld(n int) *world {
	var b strings.Builder
	b.WriteString("shop  GET /list  server  0..9s  #root\n  shop  render  0..9s\n")
	for i := range n / 4 {
		fmt.Fprintf(&b, "    shop  load item %d  client  %d..%dms\n", i%3, i, i+4)
		fmt.Fprintf(&b, "      items  GetItem  server  %d..%dms\n", i+1, i+3)
		word := ""
		if i == n/8 {
			word = ` error="deadlock" #bad`
		}
		fmt.Fprintf(&b, "        items  SELECT items  client  %d..%dms%s\n", i+1, i+2, word)
		fmt.Fprintf(&b, "          db  query  server  %d..%dms\n", i+1, i+2)
	}
	return newWorld(b.String(), trace.FlowState{})
}

func bigResult(n int) *run.Result {
	w := bigWorld(n)
	return w.result(w.failed("http.response.status_code >= 500", assertions.Evidence{Why: "1 span is what must never be",
		Spans: []assertions.SpanNote{w.note("bad", "status is error")}, Of: 1}))
}

func TestBigFlow(t *testing.T) {
	out := textOf(t, bigResult(2000), TextSettings{})
	golden(t, "big.txt", out)
	if n := strings.Count(out, "\n"); n > treeLines+25 {
		t.Errorf("the report of 2,000 spans has %d lines, want no more than about %d", n, treeLines)
	}
	all := textOf(t, bigResult(2000), TextSettings{Verbose: true})
	if n := strings.Count(all, "\n"); n < 2000 {
		t.Errorf("the verbose report of 2,000 spans has %d lines, want all spans", n)
	}
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Every result is drawn in every mode, and must keep what the modes promise.
func TestModes(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	results := map[string]*run.Result{"never happened": w.neverHappened(), "big": bigResult(400), "empty": {}, "hostile": hostile()}
	for _, f := range failures {
		results[f.name] = f.result()
	}
	for name, r := range results {
		plain := textOf(t, r, TextSettings{})
		if colored := textOf(t, r, TextSettings{Color: true}); escape.ReplaceAllString(colored, "") != plain {
			t.Errorf("%s: colour changes the text", name)
		}
		for _, width := range []int{0, 60, 41} {
			for i, l := range strings.Split(textOf(t, r, TextSettings{Width: width, ASCII: true}), "\n") {
				if strings.ContainsFunc(l, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
					t.Errorf("%s: line %d is not printable ASCII: %q", name, i+1, l)
				}
			}
			settings := TextSettings{Width: width}
			lines := strings.Split(textOf(t, r, settings), "\n")
			for i, l := range lines[:len(lines)-2] { // The summary is one line at any width.
				if strings.ContainsFunc(l, unicode.IsControl) {
					t.Errorf("%s: line %d steers the terminal: %q", name, i+1, l)
				}
				if got := runewidth.StringWidth(l); got > settings.width() && !isSource(l) {
					t.Errorf("%s: line %d takes %d cells of %d: %q", name, i+1, got, settings.width(), l)
				}
			}
		}
	}
}

// isSource reports whether a line is of a diagnostic, which keeps its columns.
func isSource(l string) bool { return regexp.MustCompile(`^ *[0-9]* \|`).MatchString(l) }

// hostile is a failure about spans that try to steer the terminal.
func hostile() *run.Result {
	const evil = "\x1b[2J\x1b]0;owned\a\u202e\r\n\t\x00\xff\u2028"
	w := newWorld("a  b  server  0..10ms  #a\n", trace.FlowState{Losses: []trace.Loss{{What: evil}}})
	r := assertions.SpanNote{Span: w.ref("a"), Note: evil}
	r.Span.Service, r.Span.Name, r.Span.Host = "東京"+evil, evil+strings.Repeat("x", 300), evil
	v := w.failed("email.exists", assertions.Evidence{Why: evil + strings.Repeat("why ", 80), Facts: []assertions.Fact{{Label: evil, Text: evil}},
		Spans: []assertions.SpanNote{r}, Timeline: []assertions.SpanNote{r, w.note("a", evil)},
		Near:  []assertions.NearMiss{{Span: r.Span, Fails: evil, Actual: evil, Explanation: evil}},
		Notes: []string{evil}, Try: []string{evil}, Values: []assertions.ValueAt{{At: w.at("email.exists"), Text: evil, Show: evil}}})
	v.Assertion.Name, v.Assertion.Because, v.By = evil, evil, &r.Span
	out := w.result(v)
	out.Files[0].Name, out.Files[0].Flows[0].Name = evil, evil
	out.Steps = []run.Step{{Name: evil, Err: evil, Output: []string{evil}}}
	out.Received.Services = append(out.Received.Services, run.ServiceCount{Service: evil})
	out.Received.Refused = []trace.Loss{{What: evil}}
	return out
}

func TestASCIIColorNarrow(t *testing.T) {
	golden(t, "ascii.txt", textOf(t, reversed(), TextSettings{ASCII: true}))
	golden(t, "color.txt", textOf(t, slowPayments(), TextSettings{Color: true}))
	golden(t, "narrow.txt", textOf(t, doubleCharge(), TextSettings{Width: 60}))
	golden(t, "strict.txt", textOf(t, slowPayments(), TextSettings{Strict: true}))
}

func BenchmarkText(b *testing.B) {
	for _, n := range []int{20, 1000, 10000} {
		r := bigResult(n)
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				textOf(b, r, TextSettings{})
			}
		})
	}
}
