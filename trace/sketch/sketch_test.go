package sketch

import (
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/trace"
)

func TestParse(t *testing.T) {
	s := MustParse(`
resource payment  deployment.environment.name=staging
# the request
gateway   POST /order      server      0..180ms   http.response.status_code=201
  checkout  place                     10..170ms   order.id=o-1 tags=[a, 2] amount=42.0
    payment   charge                  20..60ms    error="card declined" event=retry@30ms
    copy at=500ms
    checkout  send orders  producer   70..71ms    #pub
email     process orders   consumer   1s..1.5s    link=#pub at=2s resource.host.id=h2
`)
	if got := len(s.Arrivals); got != 6 {
		t.Fatalf("got %d arrivals, want 5 spans and a copy", got)
	}
	byName := map[string]trace.Span{}
	for _, sp := range s.Spans() {
		if _, seen := byName[sp.Name()]; !seen {
			byName[sp.Name()] = sp
		}
	}
	gateway, place, charge, send, email := byName["POST /order"], byName["place"], byName["charge"], byName["send orders"], byName["process orders"]
	if place.ParentID() != gateway.ID() || charge.ParentID() != place.ID() || send.ParentID() != place.ID() {
		t.Error("indentation does not make children")
	}
	if place.Kind() != trace.Server || send.Kind() != trace.Producer || email.Kind() != trace.Consumer {
		t.Errorf("kinds: place %v, send %v, email %v", place.Kind(), send.Kind(), email.Kind())
	}
	if charge.Status() != trace.Error || charge.StatusMessage() != "card declined" {
		t.Errorf("charge ended %v %q", charge.Status(), charge.StatusMessage())
	}
	if env, _ := charge.Lookup("deployment.environment.name"); env != trace.StringValue("staging") {
		t.Errorf("charge's environment is %v", env)
	}
	if email.TraceID() == gateway.TraceID() || email.Duration() != 500*time.Millisecond || email.Resource().Host() != "host.id=h2" {
		t.Errorf("email: trace %v, %v, %s", email.TraceID(), email.Duration(), email.Resource().Host())
	}
	for l := range email.Links() {
		if l.SpanID() != send.ID() || l.TraceID() != send.TraceID() {
			t.Errorf("email links to %v", l.SpanID())
		}
	}
	if tags, _ := place.Attr("tags"); tags.String() != `["a", 2]` {
		t.Errorf("tags are %v", tags)
	}
	if last := s.Arrivals[5]; last.Span.Name() != "process orders" || last.At.Sub(Base) != 2*time.Second {
		t.Errorf("last arrival is %s at %v", last.Span.Name(), last.At.Sub(Base))
	}
	if !charge.Equal(s.Arrivals[4].Span) || charge == s.Arrivals[4].Span {
		t.Error("a copy is an equal span of its own")
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a b 1..2ms":                       "two spaces end the service",
		"a  b  server":                     "no START..END",
		"a  b  1..x":                       "want something like 20ms",
		"a  b  1..2ms sever":               `unknown word "sever"`,
		"a  b  1..2ms link=#x":             "links to #x",
		"a  b  1..2ms #x\na  b  1..2ms #x": "stands twice",
		`a  b  1..2ms k="x`:                "quote is not closed",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a  b  0..1ms k=v #x\n  c  d  1..2s link=#x error=\"m\"\n  copy at=3s\n")
	f.Add("resource a k=[1, 2]\na  b  0..1ms parent=missing event=e@1ms")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err == nil {
			for _, sp := range s.Spans() {
				_, _, _ = sp.Name(), sp.Service(), sp.Duration()
			}
		}
	})
}
