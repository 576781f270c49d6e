package assertions_test

import (
	"fmt"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestSmoke(t *testing.T) {
	src := diag.NewSource("shop.flow.yaml", `version: 1
spans:
  checkout: service == "checkout" and kind == "server"
  payment: service == "payment" and kind == "server"
  email: service == "email"
flows:
  shop:
    origin: service == "frontend" and kind == "server"
    calls: |
      checkout -> payment: Charge within 100ms, exactly once
      frontend -> checkout
      checkout ~> email
      checkout !-> legacy
    expect:
      - payment.count == 1
      - payment.before(email)
      - payment.order.id == email.order.id
      - all(payment, .duration < 30ms)
    never:
      - service == "payment" and status == "error"
    each:
      - {spans: payment, check: isInt(attrs.amount)}
`)
	suite, problems := assertions.Load(src, assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	fmt.Println(suite.Desugared())
	sk := sketch.MustParse(`
frontend  POST /cart   server 0..200ms
  checkout  Place   server 10..180ms
    checkout  charge  client 20..80ms
      payment  Charge   server 25..75ms  order.id=o-1 amount=42.5
    checkout  send orders  producer 90..91ms   #pub
email  process orders   consumer   100..120ms   link=#pub order.id=o-1
`)
	p := storetest.New(suite.Memberships(), store.Settings{})
	instances := map[string]*assertions.Instance{}
	judge := func(flows []trace.Flow) {
		for _, f := range flows {
			in := instances[f.ID]
			if in == nil {
				in = suite.Open(f.Declaration)
				instances[f.ID] = in
			}
			for _, v := range in.Evaluate(f) {
				fmt.Println(f.ID, v.Outcome, v.Early, v.At, v.By.Service, v.Assertion.Name, v.Grade, v.Evidence.Why)
			}
		}
	}
	for _, a := range sk.Arrivals {
		judge(p.Arrive(a))
	}
	judge(p.Close(trace.ByEndOfRecording))
}
