package assertions_test

import (
	"os"
	"strings"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
)

// broken is a way to break a flow, and the one assertion that is about it. Edits
// are pairs of a text in the sketch and what it becomes; an empty old text adds a
// line at the end.
type broken struct {
	flow      string // the sketch
	assertion string // the start of its name
	edits     []string
}

// examples break every assertion of testdata/flows/examples.flow.yaml.
var examples = []broken{
	{"shop", "checkout -> inventory", []string{"        inventory  Reserve  server", "        stockroom  Reserve  server", "          inventory  SELECT", "          stockroom  SELECT"}},
	{"shop", "checkout -> payment", []string{"        payment  POST /charge", "        cashier  POST /charge"}},
	{"shop", "checkout ~> email", []string{"link=#pub messaging.system=nats messaging.destination.name=orders messaging.message.id=m1", "link=#pub2", "      checkout  tail", "      checkout  other  producer  376..377ms  #pub2\n      checkout  tail", "email  process orders  consumer", "mailer  process orders  consumer"}},
	{"shop", "email.count == 1", []string{"", "email  process orders  consumer  600..700ms  link=#pub order.id=o-1"}},
	{"shop", "email.after(captured)", []string{"75..265ms", "75..450ms"}},
	{"shop", "captured.followedBy(email, 2s)", []string{"400..520ms  link", "4000..4100ms  link"}},
	{"shop", "email.order.id == captured.order.id", []string{"messaging.message.id=m1 order.id=o-1\n  email", "messaging.message.id=m1 order.id=o-2\n  email"}},
	{"shop", "stripe.count <= 4", []string{"230..260ms", "150..260ms"}},
	{"shop", "stripe.count <= 4", []string{"          payment  stripe 2", strings.Repeat("          payment  stripe x  client  262..263ms  server.address=api.stripe.com\n", 4) + "          payment  stripe 2"}},
	{"shop", "all(values(groupBy(db", []string{"          inventory  SELECT stock", strings.Repeat("          inventory  SELECT stock  client  41..42ms  db.system.name=postgresql db.query.summary=\"SELECT stock\"\n", 4) + "          inventory  SELECT stock"}},
	{"shop", "outbox.before(publish)", []string{"272..278ms", "272..284ms"}},
	{"shop", "all(consume, .traceID != publish.traceID)", []string{"link=#pub messaging", "trace=#pub link=#pub messaging"}},
	{"shop", "workers.count == 4", []string{"315..375ms", "362..375ms"}},
	{"shop", "release.exists and", []string{"75..265ms  ok", "75..265ms  error"}},
	{"shop", "criticalShare", []string{"10..880ms", "10..275ms", "5..890ms", "5..290ms"}},
	{"shop", "all(payment, .maxGap", []string{"          payment  stripe 2  client  230..260ms  server.address=api.stripe.com http.response.status_code=200\n", ""}},
	{"shop", "all(publish, {let", []string{"", "audit  process orders  consumer  600..700ms  link=#pub messaging.destination.name=orders messaging.message.id=m1"}},
	{"shop", "not workers.sequential()", []string{"300..360ms", "300..304ms", "305..365ms", "305..309ms", "310..370ms", "310..314ms"}},
	{"shop", "inventory.before(payment)", []string{"25..55ms", "25..200ms"}},
	{"shop", "checkout.callsDirectly(payment)", []string{"      checkout  charge  client", "      gateway  charge  internal"}},
	{"shop", "longest(checkout) < max_checkout", []string{"10..880ms", "10..1200ms"}},
	{"shop", "len(distinct(stripe", []string{"error.type=\"503\"", "error.type=\"503\" http.request.header.idempotency-key=a", "230..260ms", "230..260ms  http.request.header.idempotency-key=b"}},
	{"shop", "stripe.last.status", []string{"230..260ms", "230..260ms  error"}},
	{"shop", "all(payment, .parent.duration", []string{"70..270ms", "70..370ms"}},
	{"shop", "mail only after success", []string{"75..265ms  ok", "75..265ms  error"}},
	{"shop", "never kind == \"client\" and server.address matches", []string{"      checkout  tail", "      checkout  GET  client  376..377ms  server.address=eu.tracker.example\n      checkout  tail"}},
	{"shop", "never kind == \"client\" and http.response", []string{"server.address=payment http.response.status_code=200", "server.address=payment http.response.status_code=404"}},
	{"shop", "never not (service in allowed)", []string{"      checkout  tail", "      legacy  GET  server  376..377ms\n      checkout  tail"}},
	{"shop", "each payment: isInt", []string{"amount=4200", "amount=\"42.00\""}},
	{"shop", "each kind == \"server\" and parent.kind", []string{"server.address=payment http.response.status_code=200", "server.address=payment http.response.status_code=504"}},
	{"shop", "each kind == \"server\" and attrs.http", []string{"http.route=/charge ", ""}},
	{"shop", "each http.response.status_code >= 500", []string{"80..120ms  error", "80..120ms"}},
	{"shop", "never service == \"payment\" and isRoot", []string{"        payment  POST /charge", "payment  GET /health  server  75..76ms  http.route=/health\n  x  y  1..2ms\nfrontend  z  server  0..1ms\n        payment  POST /charge"}},
	{"shop", "none(spans, .isOrphan)", []string{"      checkout  tail  internal", "      checkout  tail  internal  parent=missing"}},
	{"shop", "len(distinct(spans, .deployment", []string{"1.4.2 deployment.environment.name=test", "1.4.2 deployment.environment.name=staging"}},
	{"shop", "all(values(groupBy(spans, .service))", []string{"          payment  stripe 2", "resource payment service.version=1.5.0\n          payment  stripe 2"}},
	{"login", "web -> auth: Authenticate", []string{"auth  Authenticate", "auth  Login"}},
	{"login", "users_db.before(session)", []string{"100..120ms", "50..120ms"}},
	{"login", "users_db.empty", []string{"      auth  SELECT users", "      auth  GET user  client  12..13ms  db.system.name=redis db.operation.name=GET cache.hit=true\n      auth  SELECT users"}},
}

// sketch returns the text of the flow, broken.
func (b broken) sketch(t testing.TB) string {
	text := readFile(t, "testdata/flows/"+b.flow+".sketch")
	for i := 0; i < len(b.edits); i += 2 {
		if b.edits[i] == "" {
			text += b.edits[i+1] + "\n"
			continue
		}
		if !strings.Contains(text, b.edits[i]) {
			t.Fatalf("%s: the sketch has no %q", b.assertion, b.edits[i])
		}
		text = strings.ReplaceAll(text, b.edits[i], b.edits[i+1])
	}
	return text
}

func readFile(t testing.TB, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func loadSuite(t testing.TB, path string) *assertions.Suite {
	suite, problems := assertions.Load(diag.NewSource(path, readFile(t, path)), assertions.Options{})
	if problems.HasErrors() {
		t.Fatal(diag.Style{}.RenderAll(problems))
	}
	return suite
}

func TestExamplesHold(t *testing.T) {
	suite := loadSuite(t, "testdata/flows/examples.flow.yaml")
	for _, flow := range []string{"shop", "login"} {
		for name, v := range play(t, suite, readFile(t, "testdata/flows/"+flow+".sketch"), inTurn) {
			if v.Outcome != assertions.Pass && v.Outcome != assertions.NotApplicable {
				t.Errorf("%s: %s: %s: %s", flow, name, v.Outcome, v.Explanation().Why)
			}
		}
	}
}

func TestExamplesBreak(t *testing.T) {
	suite := loadSuite(t, "testdata/flows/examples.flow.yaml")
	for _, b := range examples {
		verdicts := play(t, suite, b.sketch(t), inTurn)
		found := false
		for name, v := range verdicts {
			if !strings.HasPrefix(v.Assertion.Name, b.assertion) {
				continue
			}
			if v.Outcome == assertions.Fail {
				found = true
			} else {
				t.Logf("%s: %s: %s", name, v.Outcome, v.Explanation().Why)
			}
		}
		if !found {
			t.Errorf("%s does not fail", b.assertion)
		}
	}
}
