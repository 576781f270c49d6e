package assertions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// What a flow without open edges still waits for: a span that would make an undecided
// assertion hold, and nothing else.
func TestAwaiting(t *testing.T) {
	for expect, want := range map[string]string{
		"expect: [mail.exists]":                                 "mail",
		"expect: [charge.exists]":                               "",
		"expect: [charge.count >= 2]":                           "charge (1 of 2)",
		"expect: [3 <= charge.count]":                           "charge (1 of 3)",
		"expect: [charge.count == 3]":                           "charge (1 of 3)",
		"expect: [charge.count <= 3]":                           "",
		"expect: [charge.count == 0]":                           "",
		"expect: [2 > charge.count]":                            "",
		"expect: [mail.empty]":                                  "",
		"expect: [mail.after(origin)]":                          "mail",
		"expect: ['any(charge, .attrs.amount == 7)']":           "any(charge, .attrs.amount == 7)",
		"expect: ['any(charge, .attrs.amount == 5)']":           "",
		"expect: ['all(charge, .attrs.amount == 7)']":           "",
		"expect: [charge.child(spans).exists]":                  "charge.child(spans)",
		"expect: [origin.child(spans).exists]":                  "",
		"expect: [{when: charge.exists, that: mail.exists}]":    "mail",
		"expect: [{when: mail.exists, that: charge.count > 5}]": "",
		"calls: shop -> mailer":                                 "shop -> mailer",
		"calls: shop -> payment":                                "",
		"calls: shop !-> mailer":                                "",
		"calls: shop -> payment, exactly 2":                     "shop -> payment, exactly 2",
	} {
		suite, problems := assertions.Load(diag.NewSource("f.yaml", `version: 1
spans:
  charge: name == "charge"
  mail: service == "mailer"
flows:
  f:
    origin: name == "order"
    `+expect+`
`), assertions.Options{})
		if problems.HasErrors() {
			t.Error(diag.Style{}.RenderAll(problems))
			continue
		}
		p := storetest.New(suite.Memberships(), store.Settings{})
		in := suite.Open("f")
		if got := in.Awaiting(); len(got) != 0 {
			t.Errorf("%s: before anything came: awaits %q", expect, got)
		}
		p.Arrive(sketch.MustParse("shop  order  0..50ms\n  payment  charge  10..20ms  amount=5").Arrivals...)
		for _, f := range p.Wait(time.Second) {
			if in.Evaluate(f); f.State() != trace.Complete {
				t.Fatalf("the flow is %v", f.State())
			}
		}
		if got := strings.Join(in.Awaiting(), "; "); got != want {
			t.Errorf("%s: awaits %q, want %q", expect, got, want)
		}
	}
}
