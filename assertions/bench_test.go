package assertions_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// bigSuite has 40 selectors and 50 assertions of every kind.
func bigSuite() string {
	var b strings.Builder
	b.WriteString("version: 1\nspans:\n")
	services := []string{"frontend", "checkout", "inventory", "payment", "email", "cart", "shipping", "auth"}
	for i := range 40 {
		s := services[i%len(services)]
		switch i / 8 {
		case 0:
			fmt.Fprintf(&b, "  %s: service == %q and kind == \"server\"\n", s, s)
		case 1:
			fmt.Fprintf(&b, "  %s_out: service == %q and kind == \"client\"\n", s, s)
		case 2:
			fmt.Fprintf(&b, "  %s_slow: service == %q and duration > 90ms\n", s, s)
		case 3:
			fmt.Fprintf(&b, "  %s_failed: service == %q and http.response.status_code >= 500\n", s, s)
		case 4:
			fmt.Fprintf(&b, "  %s_op: name matches \"^op-%d\" and attrs.tenant != nil\n", s, i%10)
		}
	}
	b.WriteString("flows:\n  big:\n    origin: name == \"origin\"\n    expect:\n")
	for i := range 50 {
		a, c := services[i%len(services)], services[(i+3)%len(services)]
		fmt.Fprintf(&b, "      - %s\n", []string{
			a + ".count <= 100000",
			a + ".exists and " + c + ".exists",
			"all(" + a + ", .duration < 1h)",
			"none(" + a + "_out, .status == \"error\" and .duration > 1h)",
			a + ".calls(" + c + ") or " + c + ".exists",
			"all(" + a + ", .http.response.status_code < 600)",
			"longest(" + a + ") < 1h",
			"count(spans, .service == \"" + a + "\") < 100000",
			"len(distinct(" + a + ", .tenant.id)) <= 100000",
			"p95(" + a + "_slow) < 1h",
		}[i%10])
	}
	return b.String()
}

// bigFlow is a tree of spans that arrive in batches, and the flow as it grows.
func bigFlow(n, batch int) []trace.Flow {
	r := rand.New(rand.NewPCG(1, 2))
	services := []string{"frontend", "checkout", "inventory", "payment", "email", "cart", "shipping", "auth"}
	g := trace.NewGraph()
	w := g.OpenFlow(trace.FlowRecord{ID: "big", Started: 1})
	var builder trace.Builder
	var out []trace.Flow
	freeze := func(s trace.State) {
		out = append(out, w.Freeze(trace.FlowState{Origin: 0, Trigger: trace.None, State: s, Now: trace.Time(len(out) + 1)}))
	}
	for i := range n {
		service := services[r.IntN(len(services))]
		builder.SetResource(trace.ResourceData{Attrs: []trace.Attr{
			{Key: "service.name", Value: trace.StringValue(service)}, {Key: "service.instance.id", Value: trace.StringValue(service + "-1")},
			{Key: "host.id", Value: trace.StringValue("h1")}, {Key: "telemetry.sdk.language", Value: trace.StringValue("go")}}})
		s := trace.SpanData{ID: trace.SpanID{byte(i >> 16), byte(i >> 8), byte(i), 1}, TraceID: trace.TraceID{1}, Name: fmt.Sprintf("op-%d", r.IntN(40)),
			Kind: trace.Kind(1 + r.IntN(5)), Start: trace.Time(i) * 1e6, End: trace.Time(i+r.IntN(100)) * 1e6,
			Attrs: []trace.Attr{{Key: "http.response.status_code", Value: trace.IntValue(200)}, {Key: "tenant.id", Value: trace.StringValue("t-1")},
				{Key: "http.route", Value: trace.StringValue("/r")}, {Key: "amount", Value: trace.IntValue(int64(i))}}}
		parent := trace.None
		if i == 0 {
			s.Name = "origin"
		} else {
			p := r.IntN(i)
			s.Parent, parent = trace.SpanID{byte(p >> 16), byte(p >> 8), byte(p), 1}, trace.Node(p)
		}
		builder.Add(&s)
		node := g.Add(builder.Commit()[0], trace.Time(i))
		if parent != trace.None {
			g.SetParent(node, parent)
		}
		w.Join(node, trace.ByTrace)
		if i%batch == batch-1 {
			freeze(trace.Open)
		}
	}
	freeze(trace.Closed)
	return out
}

func mustLoad(t testing.TB, text string) *assertions.Suite {
	suite, problems := assertions.Load(diag.NewSource("bench.flow.yaml", text), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	return suite
}

// incrementally judges a flow as it grows, as instances do.
func incrementally(suite *assertions.Suite, flows []trace.Flow) (found []assertions.Verdict) {
	in := suite.Open("big")
	for _, f := range flows {
		found = append(found, in.Evaluate(f)...)
	}
	return found
}

// naively judges each prefix of a flow from the beginning; what it finds last counts.
func naively(suite *assertions.Suite, flows []trace.Flow) (found []assertions.Verdict) {
	for _, f := range flows {
		found = suite.Naively("big", f)
	}
	return found
}

// BenchmarkJudge judges a flow that arrives in batches, incrementally and naively,
// and says how many times longer the latter takes. In batches of 100 a naive judge
// looks at 1,000 spans 6.5 times, with every selector; one by one, which is how an
// exporter without batching sends them, 500 times.
func BenchmarkJudge(b *testing.B) {
	suite := mustLoad(b, bigSuite())
	for _, size := range []struct{ spans, batch int }{{20, 1}, {1000, 1}, {20, 100}, {1000, 100}, {10_000, 100}} {
		n, flows := size.spans, bigFlow(size.spans, size.batch)
		name := fmt.Sprintf("spans=%d/batch=%d", n, size.batch)
		b.Run("incremental/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				incrementally(suite, flows)
			}
		})
		if n > 1000 || size.batch < 100 && n > 20 {
			continue
		}
		b.Run("naive/"+name, func(b *testing.B) {
			var one, other time.Duration
			for b.Loop() {
				start := time.Now()
				naively(suite, flows)
				middle := time.Now()
				incrementally(suite, flows)
				one, other = one+middle.Sub(start), other+time.Since(middle)
			}
			b.ReportMetric(float64(one)/float64(other), "times")
		})
	}
}

// What judging leaves out to be quick changes no verdict.
func TestNaiveJudgingAgrees(t *testing.T) {
	suite := mustLoad(t, bigSuite())
	for _, size := range []struct{ spans, batch int }{{20, 1}, {20, 100}, {300, 7}, {1000, 100}} {
		flows := bigFlow(size.spans, size.batch)
		agree(t, fmt.Sprintf("%d spans in batches of %d", size.spans, size.batch), naively(suite, flows), incrementally(suite, flows))
	}
	for _, path := range propertySuites {
		suite := loadSuite(t, path)
		for _, text := range []string{readFile(t, "testdata/flows/shop.sketch"), readFile(t, "testdata/flows/login.sketch")} {
			for _, f := range storetest.Flows(suite.Memberships(), sketch.MustParse(text)) {
				agree(t, path+" "+f.ID, suite.Naively(f.Declaration, f), suite.Open(f.Declaration).Evaluate(f))
			}
		}
	}
}

func agree(t *testing.T, what string, naive, incremental []assertions.Verdict) {
	t.Helper()
	outcomes := func(found []assertions.Verdict) map[string]assertions.Outcome {
		out := map[string]assertions.Outcome{}
		for _, v := range found {
			out[fmt.Sprint(v.Assertion.Range, v.Assertion.Name)] = v.Outcome
		}
		return out
	}
	if diff := cmp.Diff(outcomes(naive), outcomes(incremental)); diff != "" || len(naive) == 0 {
		t.Errorf("%s: %d verdicts (-naive +incremental)\n%s", what, len(naive), diff)
	}
}

// BenchmarkSelector asks one selector about one span.
func BenchmarkSelector(b *testing.B) {
	flow := bigFlow(100, 100)[0]
	for _, text := range []string{`service == "payment" and kind == "server"`, `http.response.status_code >= 500`, `duration > 90ms and name matches "^op-1"`, `attrs.amount * 2 > 10`} {
		b.Run(text, func(b *testing.B) {
			x := lang.MustCompile(text, &lang.Scope{Span: true})
			f := &lang.Frame{View: flow.View, Origin: trace.None}
			b.ReportAllocs()
			n := trace.Node(0)
			for b.Loop() {
				x.OfSpan(f, n)
				n = (n + 1) % 100
			}
		})
	}
}

// BenchmarkLoad loads a file with 100 assertions.
func BenchmarkLoad(b *testing.B) {
	text := bigSuite()
	i := strings.Index(text, "    expect:\n") + len("    expect:\n")
	text += text[i:]
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b, text)
	}
}

// arrowSuite asks what needs many spans at once.
const arrowSuite = `version: 1
flows:
  big:
    origin: name == "origin"
    calls: |
      frontend -> payment, at most 100000
      checkout -> inventory within 10h, at most 100000
      cart => auth, at most 100000
      email ~> shipping, at most 100000
    sequence: |
      frontend -> payment
      checkout -> auth
    only: frontend -> [payment, checkout, inventory, email, cart, shipping, auth]
    expect:
      - all(values(groupBy(spans, .name)), len(it) < 100000)
      - all(spans, {let s = it; any(s.children, .duration < 10h) or s.duration >= 0s})
`

// TestJudgingIsLinear judges ten times as many spans in about ten times the steps, in
// batches and one by one.
func TestJudgingIsLinear(t *testing.T) {
	tests := []struct {
		name, suite string
		few, batch  int
	}{{"selectors in batches", bigSuite(), 1000, 100}, {"arrows one by one", arrowSuite, 300, 1}}
	for _, test := range tests {
		suite := mustLoad(t, test.suite)
		steps := func(flows []trace.Flow) int {
			in := suite.Open("big")
			for _, f := range flows {
				in.Evaluate(f)
			}
			return in.Spent()
		}
		few, many := steps(bigFlow(test.few, test.batch)), steps(bigFlow(10*test.few, test.batch))
		t.Logf("%s: %d spans took %d steps, ten times as many %d", test.name, test.few, few, many)
		if few < test.few || many > 20*few {
			t.Errorf("%s: %d spans took %d steps, ten times as many %d", test.name, test.few, few, many)
		}
	}
}

// An explanation ends, however much there is to explain: every span is compared
// with every other, and none of them is what it should be.
func TestExplanationsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	suite := mustLoad(t, `version: 1
flows:
  big:
    origin: name == "origin"
    expect:
      - 'all(spans, {let a = it; any(spans, .duration == a.duration and .duration > 9h)})'
`)
	found := suite.Open("big").Evaluate(bigFlow(4000, 4000)[1])
	if len(found) != 1 || found[0].Outcome != assertions.Fail || len(found[0].Explanation().Spans) == 0 {
		t.Fatalf("got %+v, want one failure with spans", found)
	}
	if why := found[0].Explanation().Why; !strings.HasPrefix(why, "at least ") {
		t.Errorf("every span was looked at: %s", why)
	}
}

// Where every instance fails for one reason, the first are explained by all spans
// that arrived, the rest by their own: many failures cost no more than many passes.
func TestManyFailuresAreBounded(t *testing.T) {
	suite := mustLoad(t, `version: 1
spans:
  refund: service == "shop" and name == "refund"
flows:
  order:
    origin: name == "order"
    expect:
      - refund.exists
`)
	var text strings.Builder
	const orders, work = 500, 9 // more than mostSearched allows for all of them
	for range orders {
		text.WriteString("shop  order  0..100ms\n" + strings.Repeat("  shop  work  internal  10..20ms\n", work))
	}
	var spent []int
	for _, f := range storetest.Flows(suite.Memberships(), sketch.MustParse(text.String())) {
		in := suite.Open("order")
		found := in.Evaluate(f)
		if len(found) != 1 || found[0].Outcome != assertions.Fail || len(found[0].Explanation().Near) == 0 {
			t.Fatalf("got %+v, want a failure with what is nearest", found)
		}
		spent = append(spent, in.Spent())
	}
	if first, last := spent[0], spent[orders-1]; first < orders*work || last > 100*work {
		t.Errorf("explaining the first of %d failures took %d steps, the last %d", orders, first, last)
	}
}
