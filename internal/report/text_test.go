package report

import (
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

func (w *world) passed(text, by string) assertions.Verdict {
	v := assertions.Verdict{Assertion: w.assertion(text), Outcome: assertions.Pass}
	if by != "" {
		v.By, v.Early = new(w.ref(by)), true
		v.At = v.By.End.Sub(w.flow.Started)
	} else {
		v.At = 912 * milli
		v.Grade = assertions.Quiet
	}
	return v
}

func (w *world) failed(text string, e assertions.Evidence) assertions.Verdict {
	return assertions.Verdict{Assertion: w.assertion(text), Outcome: assertions.Fail, At: 912 * milli, Evidence: &e}
}

// good are verdicts that pass.
func (w *world) good() []assertions.Verdict {
	vacuous := w.passed("isInt(attrs.amount)", "")
	vacuous.Vacuous = true
	return []assertions.Verdict{
		w.passed("checkout -> inventory", "reserve"),
		w.passed("checkout -> payment", "charge"),
		w.passed("checkout ~> email, exactly once", ""),
		w.passed("inventory.before(payment)", ""),
		w.passed("payment.followedBy(email, 2s)", "email"),
		w.passed("http.response.status_code >= 500", ""),
		vacuous,
	}
}

func TestPassed(t *testing.T) {
	w := newWorld(checkoutSketch, trace.FlowState{})
	verdicts := append(w.good(), assertions.Verdict{Assertion: w.assertion("longest(checkout) < 1s"), Outcome: assertions.NotApplicable,
		Evidence: &assertions.Evidence{Why: "its guard never held"}})
	r := w.result(verdicts...)
	r.Files[0].Flows[0].Runs = &assertions.Verdict{Outcome: assertions.Pass, At: 412 * milli, By: new(w.ref("root")),
		Assertion: &assertions.Assertion{Flow: "checkout", Name: "runs: at least 1", Kind: assertions.KindRuns}}
	golden(t, "passed.txt", textOf(t, r, TextSettings{}))
}

func TestFailures(t *testing.T) {
	for _, test := range failures {
		t.Run(test.name, func(t *testing.T) {
			golden(t, "fail-"+test.name+".txt", textOf(t, test.result(), TextSettings{}))
		})
	}
}

// failures are results in which one thing went wrong, one for each kind of evidence.
var failures = []struct {
	name   string
	result func() *run.Result
}{
	{"missing", missingSpan},
	{"count", doubleCharge},
	{"order", reversed},
	{"timing", slowEmail},
	{"data", wrongAmount},
	{"each", slowPayments},
	{"never", serverError},
}

func missingSpan() *run.Result {
	w := newWorld(`
frontend   POST /checkout         server    0..412ms     #root
  checkout   checkout.Place       server    8ms..402ms   #checkout
    checkout   send orders        producer  320ms..324ms #publish messaging.destination.name=orders
  checkout   cleanup              internal  500ms..502ms parent=missing
email      process orders         server    331ms..390ms #email
`, trace.FlowState{Reason: trace.ByDeadline, Now: 1767225610_000_000_000,
		Edges: []trace.OpenEdge{{Kind: trace.WaitsForConsumer, Node: 0}}})
	v := w.failed("email.exists", assertions.Evidence{
		Why:    "no span is an email",
		Values: w.values("email.exists", "email", "0 spans", "exists", "false"),
		Facts: []assertions.Fact{
			{Label: "email is", Text: `service == "email" and kind == "consumer"`},
			{Label: "below checkout", Text: "frontend, checkout"},
		},
		Near: []assertions.NearMiss{{Span: w.ref("email"), Holds: 1, Of: 2, Fails: `kind == "consumer"`, Actual: `kind is "server"`, OtherTrace: true,
			Explanation: "nothing links it to this flow: checkout/send orders lost the context, or email did not read it"}},
		Try: []string{"inject the context into the headers of the message"},
	})
	v.Grade = assertions.Unproved
	return w.result(w.passed("checkout -> payment", "checkout"), v)
}

func doubleCharge() *run.Result {
	w := newWorld(checkoutSketch+`
payment    payment.Charge         server    180ms..304ms #again trace=#root parent=#chargecall
`, trace.FlowState{})
	v := w.failed("payment.count == 1", assertions.Evidence{
		Why:    "2 spans, exactly 1 allowed",
		At:     w.at("payment.count == 1"),
		Values: w.values("payment.count == 1", "payment", "2 spans", "count", "2", "==", "false"),
		Spans: []assertions.SpanNote{
			w.note("charge", "the first"),
			w.note("again", "one too many: idempotency key differs, same order.id"),
		},
		Of:    2,
		Notes: []string{"both have the same parent, checkout/payment.Charge: the client retried."},
	})
	v.Early, v.By, v.At = true, new(w.ref("again")), 305*milli
	v.Assertion.Because = "customers are charged once"
	return w.result(append(w.good(), v)...)
}

func reversed() *run.Result {
	w := newWorld(checkoutSketch+`
resource inventory  host.id=h2
inventory  inventory.Reserve      server    350ms..380ms #late trace=#root parent=#checkout
`, trace.FlowState{})
	v := w.failed("inventory.before(payment)", assertions.Evidence{
		Why:      "inventory ends 75ms after payment starts",
		At:       w.at("before(payment)"),
		Facts:    []assertions.Fact{{Label: "by", Text: "75ms"}, {Label: "uncertainty", Text: "1ms, two hosts"}},
		Timeline: []assertions.SpanNote{w.note("late", "should end before"), w.note("charge", "should start after")},
	})
	return w.result(append(w.good(), v)...)
}

func slowEmail() *run.Result {
	w := newWorld(`
frontend   POST /checkout         server    0..412ms      #root
  checkout   checkout.Place       server    8ms..402ms    #checkout
    payment    payment.Charge     server    88ms..305ms   #charge
    checkout   send orders        producer  320ms..324ms  #publish messaging.destination.name=orders
email      process orders         consumer  3.317s..3.39s #email link=#publish
`, trace.FlowState{})
	v := w.failed("payment.followedBy(email, 2s)", assertions.Evidence{
		Why:    "email starts 3.012s after payment ends",
		Values: w.values("payment.followedBy(email, 2s)", "payment", "1 span", "email", "1 span", "2s", "2s"),
		Facts: []assertions.Fact{
			{Label: "measured", Text: "3.012s, from the end of payment/payment.Charge to the start of email/process orders"},
			{Label: "allowed", Text: "2s"},
			{Label: "largest part", Text: "2.993s between checkout/send orders and email/process orders: the message waited"},
		},
		Timeline: []assertions.SpanNote{w.note("charge", ""), w.note("publish", ""), w.note("email", "too late")},
	})
	return w.result(w.passed("checkout -> payment", "charge"), v)
}

func wrongAmount() *run.Result {
	w := newWorld(checkoutSketch, trace.FlowState{})
	v := w.failed("same(payment.order.amount, checkout.order.amount)", assertions.Evidence{
		Why:    "the values differ, in type too",
		Values: w.values("same(payment.order.amount, checkout.order.amount)", "payment.order.amount", `"42.00" (string)`, "checkout.order.amount", "4200 (int)"),
		Spans: []assertions.SpanNote{
			w.note("charge", `order.amount = "42.00" (string)`),
			w.note("checkout", "order.amount = 4200 (int)"),
		},
		Notes: []string{"a string is never equal to a number; 42.00 would be 4200 in cents."},
	})
	return w.result(append(w.good(), v)...)
}

func slowPayments() *run.Result {
	w := newWorld(checkoutSketch, trace.FlowState{})
	v := w.failed("all(payment, .duration < 200ms)", assertions.Evidence{
		Why:   "7 of 9 spans do not satisfy this",
		At:    w.at(".duration < 200ms"),
		Spans: []assertions.SpanNote{w.note("charge", "duration is 217ms"), w.note("gateway", "duration is 195.4ms"), w.note("mail", "")},
		Of:    7,
	})
	warn := w.failed("longest(checkout) < 1s", assertions.Evidence{Why: "longest(checkout) is 1.2s"})
	warn.Assertion.Severity = assertions.SeverityWarn
	broken := w.failed("len(distinct(spans, .deployment.environment.name)) == 1", assertions.Evidence{Why: "the evaluation ran out of its budget of steps"})
	broken.Outcome = assertions.Errored
	return w.result(append(w.good(), v, warn, broken)...)
}

func serverError() *run.Result {
	w := newWorld(`
frontend   POST /checkout         server    0..412ms     #root http.response.status_code=502 error
  checkout   checkout.Place       server    8ms..402ms   #checkout error="payment failed"
    payment    payment.Charge     server    88ms..305ms  #charge error="card gateway: bad gateway"
      payment    POST             client    95ms..290ms  #gateway error http.response.status_code=502
`, trace.FlowState{})
	v := w.failed("http.response.status_code >= 500", assertions.Evidence{
		Why:    "2 spans are what must never be",
		Values: w.values("http.response.status_code >= 500", "http.response.status_code", "502"),
		Spans:  []assertions.SpanNote{w.note("gateway", "http.response.status_code is 502"), w.note("root", "http.response.status_code is 502")},
		Of:     2,
		Notes:  []string{"payment/POST is below payment/payment.Charge, checkout/checkout.Place, frontend/POST /checkout."},
	})
	v.Early, v.By, v.At = true, new(w.ref("gateway")), 290*milli
	return w.result(w.passed("checkout -> payment", "charge"), v)
}
