package assertions_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace/sketch"
)

const warningsFile = `version: 1
spans:
  payment: service == "payment" and kind == "server"
  refund:  service == "payment" and name == "Refund"
  mail:    service == "email"
flows:
  order:
    origin: name == "order"
    expect:
      - payment.exists
      - refund.empty
      - {when: refund.exists, that: mail.exists}
      - mail.exists
`

func TestWarnings(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", warningsFile), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	warnings := func(text string) string {
		var closed []assertions.Judged
		for _, f := range storetest.Flows(suite.Memberships(), sketch.MustParse(text)) {
			in := suite.Open(f.Declaration)
			closed = append(closed, assertions.Judged{Instance: in, Verdicts: in.Evaluate(f)})
		}
		return diag.Style{ASCII: true}.RenderAll(suite.Warnings(closed))
	}
	// mail matched nothing either, but a failure says so.
	want := `warning: no span matched refund in the whole run
 --> f.yaml:4:3
  |
4 |   refund:  service == "payment" and name == "Refund"
  |   ^^^^^^ the nearest is payment/Charge
  = note: It satisfies 1 of 2 conditions, but not name == "Refund": name is "Charge".

warning: this guard never held, so the assertion asked nothing
  --> f.yaml:12:16
   |
12 |       - {when: refund.exists, that: mail.exists}
   |                ^^^^^^^^^^^^^ not applicable in any flow
`
	if diff := cmp.Diff(want, warnings("shop  order  0..9ms\n  payment  Charge  1..2ms")); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
	// One instance that matches is enough.
	if got := warnings(`
shop  order  0..9ms
  payment  Charge  1..2ms
shop  order  20..29ms
  payment  Refund  21..22ms
email  mail  0..1ms`); got != "" {
		t.Errorf("a set that matched in one instance is warned about:\n%s", got)
	}
}

// A party that is misspelt is told even where the line passes without it.
func TestWarningsOfParties(t *testing.T) {
	suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
flows:
  order:
    origin: name == "order"
    calls: |
      shop -> payment
      shpo -> payment, optional
      shop -> fraud, at most 2
      shop -> stripe.com, optional
      shop !-> legacy
    only:
      - shoop -> [payment]
`), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	var closed []assertions.Judged
	for _, f := range storetest.Flows(suite.Memberships(), sketch.MustParse("shop  order  0..9ms\n  payment  Charge  1..2ms\n    payment  pay  client  1..2ms  server.address=stripe.com")) {
		in := suite.Open(f.Declaration)
		closed = append(closed, assertions.Judged{Instance: in, Verdicts: in.Evaluate(f)})
	}
	want := `warning: no span ever named shpo
 --> f.yaml:7:7
  |
7 |       shpo -> payment, optional
  |       ^^^^ neither a service nor a peer of any span is called this
  = try: shop

warning: no span ever named fraud
 --> f.yaml:8:15
  |
8 |       shop -> fraud, at most 2
  |               ^^^^^ neither a service nor a peer of any span is called this

warning: no span ever named shoop
  --> f.yaml:12:9
   |
12 |       - shoop -> [payment]
   |         ^^^^^ neither a service nor a peer of any span is called this
   = try: shop
`
	if diff := cmp.Diff(want, diag.Style{ASCII: true}.RenderAll(suite.Warnings(closed))); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
}
