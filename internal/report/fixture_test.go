package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

const milli = time.Millisecond

// world is a flow made from a sketch, of which all spans are members.
type world struct {
	flow   trace.Flow
	graph  *trace.Graph
	sketch *sketch.Sketch
	nodes  map[trace.Span]trace.Node
	file   *diag.Source
}

// newWorld joins the spans of a sketch: children to parents, links to what they
// name. The first line is the origin. An edge for each parent that is missing is
// added to those of the state.
func newWorld(text string, state trace.FlowState) *world {
	w := &world{sketch: sketch.MustParse(text), nodes: map[trace.Span]trace.Node{}}
	w.file = diag.NewSource("checkout.flow.yaml", checkoutFile)
	g := trace.NewGraph()
	w.graph = g
	ids := map[trace.SpanID]trace.Node{}
	for _, a := range w.sketch.Arrivals {
		if n, again := ids[a.Span.ID()]; again {
			g.AddCopy(n)
			continue
		}
		n := g.Add(a.Span, a.At)
		w.nodes[a.Span], ids[a.Span.ID()] = n, n
	}
	origin := trace.None
	for s, n := range w.nodes {
		if origin == trace.None || s.Start() < g.View().Span(origin).Start() {
			origin = n
		}
	}
	traceID := g.View().Span(origin).TraceID()
	fw := g.OpenFlow(trace.FlowRecord{ID: "4bf92f35", Declaration: "checkout", TraceID: traceID, Started: sketch.Base})
	for _, s := range w.sketch.Spans() {
		n, ok := w.nodes[s]
		if !ok {
			continue
		}
		rule := trace.ByTrace
		for l := range s.Links() {
			g.Connect(ids[l.SpanID()], n, trace.ByLink)
			rule = trace.ByLink
		}
		if parent, ok := ids[s.ParentID()]; ok {
			g.SetParent(n, parent)
		} else if !s.ParentID().IsZero() {
			state.Edges = append(state.Edges, trace.OpenEdge{Kind: trace.WaitsForParent, Node: n, Missing: s.ParentID()})
		}
		fw.Join(n, rule)
	}
	state.Origin, state.Trigger = origin, trace.None
	if state.Reason == trace.NotClosed {
		state.Reason = trace.BySilence
	}
	state.State = trace.Closed
	w.flow = fw.Freeze(state)
	return w
}

// ref is the span of the line with that label.
func (w *world) ref(label string) assertions.SpanRef {
	s, ok := w.sketch.Labels[label]
	if !ok {
		panic("no line is labelled #" + label)
	}
	return assertions.SpanRef{Node: w.nodes[s], TraceID: s.TraceID(), SpanID: s.ID(), Service: s.Service(), Name: s.Name(), Kind: s.Kind(),
		Status: s.Status(), Start: s.Start(), End: s.End(), Process: s.Resource().Process(), Host: s.Resource().Host()}
}

func (w *world) note(label, note string) assertions.SpanNote {
	return assertions.SpanNote{Span: w.ref(label), Note: note}
}

// assertion is the line of the flow file that holds text.
func (w *world) assertion(text string) *assertions.Assertion {
	return &assertions.Assertion{Flow: "checkout", Name: text, Kind: assertions.KindExpect, Text: text, Range: w.at(text)}
}

// at is where text stands in the flow file.
func (w *world) at(text string) diag.Range {
	i := strings.Index(w.file.Text(), text)
	if i < 0 {
		panic("the flow file does not hold " + text)
	}
	return w.file.Range(i, i+len(text))
}

// values is the values of sub-expressions: text, value, text, value.
func (w *world) values(in string, pairs ...string) []assertions.ValueAt {
	var out []assertions.ValueAt
	base := w.at(in)
	for i := 0; i < len(pairs); i += 2 {
		at := base.Start + strings.Index(in, pairs[i])
		out = append(out, assertions.ValueAt{At: w.file.Range(at, at+len(pairs[i])), Text: pairs[i], Show: pairs[i+1]})
	}
	return out
}

// result is a run that found these verdicts in the world's flow.
func (w *world) result(verdicts ...assertions.Verdict) *run.Result {
	return &run.Result{
		Duration: 3412 * milli,
		Files: []run.FileResult{{Name: "checkout.flow.yaml", Flows: []run.FlowResult{{
			Name:      "checkout",
			Instances: []run.InstanceResult{{Flow: w.flow, Verdicts: verdicts}},
		}}}},
		Received: received(w.flow.View),
	}
}

func received(v trace.View) run.Received {
	r := run.Received{Spans: v.Received(), Requests: v.Received()}
	at, traces := map[string]int{}, map[trace.TraceID]bool{}
	for i := range v.Received() {
		s := v.Span(trace.Node(i))
		traces[s.TraceID()] = true
		if _, ok := at[s.Service()]; !ok {
			at[s.Service()] = len(r.Services)
			r.Services = append(r.Services, run.ServiceCount{Service: s.Service()})
		}
		r.Services[at[s.Service()]].Spans++
	}
	r.Traces = len(traces)
	return r
}

func textOf(t testing.TB, r *run.Result, s TextSettings) string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, r, s); err != nil {
		t.Fatalf("Text: %v", err)
	}
	return b.String()
}

const checkoutFile = `version: 1
spans:
  payment: service == "payment" and kind == "server"
  email: service == "email" and kind == "consumer"
flows:
  checkout:
    origin: service == "frontend" and http.route == "/checkout"
    calls: |
      checkout -> inventory
      checkout -> payment
      checkout ~> email, exactly once
    expect:
      - inventory.before(payment)
      - payment.count == 1
      - email.exists
      - payment.followedBy(email, 2s)
      - same(payment.order.amount, checkout.order.amount)
      - all(payment, .duration < 200ms)
      - that: |
          payment.count <= 1
          and email.count <= 1
      - {that: longest(checkout) < 1s, severity: warn}
      - len(distinct(spans, .deployment.environment.name)) == 1
    never:
      - http.response.status_code >= 500
    each:
      - {spans: payment, check: isInt(attrs.amount)}
`

// checkoutSketch is a checkout in which nothing is wrong.
const checkoutSketch = `
frontend   POST /checkout         server    0..412ms     #root http.response.status_code=200
  frontend   checkout.Place       client    6ms..405ms   #place
    checkout   checkout.Place     server    8ms..402ms   #checkout
      checkout   inventory.Reserve  client  12ms..80ms   #reservecall
        inventory  inventory.Reserve  server  14ms..78ms #reserve
          inventory  UPDATE stock  client   20ms..71ms   #stock
      checkout   payment.Charge   client    85ms..310ms  #chargecall
        payment    payment.Charge  server   88ms..305ms  #charge
          payment    POST         client    95ms..290ms  #gateway server.address=cards.example
      checkout   send orders      producer  320ms..324ms #publish messaging.destination.name=orders
email      process orders         consumer  331ms..390ms #email link=#publish
  email      send mail            client    340ms..388ms #mail
`
