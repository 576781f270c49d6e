package trace_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// flowOf plays a sketch as one flow and finds its nodes by span name.
func flowOf(t *testing.T, text string) (trace.Flow, map[string]trace.Node) {
	t.Helper()
	first := true
	flows := storetest.Flows([]trace.Membership{{Flow: "f", Opens: trace.OpensBySession, Origin: func(trace.Span) bool { first = false; return first }}}, sketch.MustParse(text))
	byName := map[string]trace.Node{}
	for i := range flows[0].Len() {
		n := flows[0].Member(i)
		byName[flows[0].Span(n).Name()] = n
	}
	return flows[0], byName
}

func TestOrder(t *testing.T) {
	// Two calls of one service to two others, on hosts of their own unless said otherwise.
	const calls = `
shop  order  0..100ms
  shop  call a  client  10..30ms
    stock  a   12..28ms   resource.host.id=h2
  shop  call b  client  40..60ms
    bank   b   B          resource.host.id=h3
`
	tests := []struct {
		name, sketch string
		x, y         func(map[string]trace.Node) trace.Moment
		want         trace.Precedence
		by           trace.Basis
	}{
		{"one process: the exact clock decides", calls, end("call a"), start("call b"), trace.Before, trace.ByProcess},
		{"one process, the other way round", calls, end("call b"), start("call a"), trace.NotBefore, trace.ByProcess},
		{"a parent starts before its child ends", calls, start("order"), end("a"), trace.Before, trace.ByCausality},
		{"a caller and its callee start in this order, on any clocks", calls, start("call a"), start("a"), trace.Before, trace.ByCausality},
		{"a callee starts before its client ends", calls, start("b"), end("call b"), trace.Before, trace.ByCausality},
		{"a callee may start after a client that failed has ended", strings.ReplaceAll(calls, "40..60ms", "40..60ms  error"), start("b"), end("call b"), trace.OrderUnknown, trace.NoBasis},
		{"a client that failed bounds no offset", strings.ReplaceAll(calls, "10..30ms", "10..30ms  error"), end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"a client that does not wait", `
shop  order  0..100ms
  shop  call a  client  10..20ms
    stock  a   50..60ms`, start("a"), end("call a"), trace.NotBefore, trace.ByHost},
		{"two callees start in the order of their calls, on any clocks", calls, start("a"), start("b"), trace.Before, trace.ByCausality},
		{"a callee's end is known by the bounded offset", calls, end("a"), start("b"), trace.Before, trace.ByClocks},
		{"touching within a clock's uncertainty is unknown", strings.ReplaceAll(calls, "40..60ms", "29..60ms"), end("a"), start("call b"), trace.OrderUnknown, trace.NoBasis},
		{"one host: 1 ms apart is not enough", `
shop  order  0..100ms
  shop  a  internal  10..20ms
  bank  b  21..30ms`, end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"one host: more than 1 ms is", `
shop  order  0..100ms
  shop  a  internal  10..20ms
  bank  b  21.1..30ms`, end("a"), start("b"), trace.Before, trace.ByHost},
		{"a browser's clock is coarse", `
web  order  0..100ms  resource.telemetry.sdk.language=webjs
  web  a  internal  10..20ms  resource.telemetry.sdk.language=webjs
  web  b  internal  20.9..30ms  resource.telemetry.sdk.language=webjs`, end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"a producer starts before its consumer, however the clocks are set", `
shop  order  0..100ms
  shop  send  producer  10..20ms  #p
mail  process  consumer  1..5ms  link=#p  resource.host.id=h2`, start("send"), start("process"), trace.Before, trace.ByCausality},
		{"a link may be added late: only the end is ordered", `
shop  order  0..100ms
  shop  work  internal  10..20ms  #p
cron  job  internal  1..5ms  link=#p  resource.host.id=h2`, start("work"), start("job"), trace.OrderUnknown, trace.NoBasis},
		{"a clock that no offset explains orders nothing on third ones", `
shop  order  0..20s
  shop  call a  client  0..100ms
    stock  a  10..90ms  resource.host.id=h2
  shop  call again  client  12s..12.1s
    stock  again  2.01s..2.09s  resource.host.id=h2
  audit  b  300..400ms  resource.host.id=h3`, end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"and the others order what they did without it", `
shop  order  0..20s
  shop  call a  client  0..100ms
    stock  a  10..90ms  resource.host.id=h2
  shop  call again  client  12s..12.1s
    stock  again  2.01s..2.09s  resource.host.id=h2
  shop  call b  client  200..300ms
    bank  b  210..290ms  resource.host.id=h3`, end("call a"), start("b"), trace.Before, trace.ByCausality},
		{"also where only clocks tell", `
shop  order  0..20s
  shop  call a  client  0..100ms
    stock  a  10..90ms  resource.host.id=h2
  shop  call again  client  12s..12.1s
    stock  again  2.01s..2.09s  resource.host.id=h2
  shop  call b  client  200..300ms
    bank  b  210..290ms  resource.host.id=h3
  shop  later  internal  400..500ms`, end("b"), start("later"), trace.Before, trace.ByClocks},
		{"nor do three of which each two agree, and say nothing of the fourth", `
shop  order  0..20s
  shop  call a  client  0..100ms
    stock  a  10..90ms  resource.host.id=h2
      stock  call bank  client  20..80ms  resource.host.id=h2
        bank  charge  5.03s..5.07s  resource.host.id=h3
  shop  call bank  client  200..300ms
    bank  check  210..290ms  resource.host.id=h3
  audit  b  400..500ms  resource.host.id=h4`, end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"a span starts before it ends", calls, start("a"), end("a"), trace.Before, trace.ByCausality},
		{"no process and no host: only causality", `
shop  order  0..100ms
  x  a  internal  10..20ms  resource.host.id=missing resource.service.instance.id=missing
  x  b  internal  50..60ms  resource.host.id=missing resource.service.instance.id=missing`, end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
		{"no process, and a parent in it: nothing was sent, so it is one", anonymous(calls), end("call a"), start("call b"), trace.Before, trace.ByProcess},
		{"no process, and a call of another one in between", anonymous(calls), end("a"), start("b"), trace.Before, trace.ByClocks},
		{"no process, and two requests, which two of them may have served", anonymous(`
shop  order  0..100ms
  x  a  server  10..20ms
  x  b  server  50..60ms`), end("a"), start("b"), trace.OrderUnknown, trace.NoBasis},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, nodes := flowOf(t, strings.ReplaceAll(tt.sketch, "  B  ", "  42..58ms  "))
			got := trace.NewOrder(f, 0).Compare(tt.x(nodes), tt.y(nodes))
			if got.Order != tt.want || got.By != tt.by {
				t.Errorf("got %v by %v (gap %v ± %v), want %v by %v", got.Order, got.By, got.Gap, got.Uncertainty, tt.want, tt.by)
			}
		})
	}
}

// anonymous takes from all spans what names their process and host, as the SDKs of some
// languages do without settings.
func anonymous(text string) string {
	return regexp.MustCompile(`(?m)(\S  .*\d+ms)`).ReplaceAllString(text, "$1  resource.host.id=missing resource.service.instance.id=missing")
}

func start(name string) func(map[string]trace.Node) trace.Moment {
	return func(m map[string]trace.Node) trace.Moment { return trace.StartOf(m[name]) }
}

func end(name string) func(map[string]trace.Node) trace.Moment {
	return func(m map[string]trace.Node) trace.Moment { return trace.EndOf(m[name]) }
}

func TestOrderWithAGivenSkew(t *testing.T) {
	f, n := flowOf(t, `
shop  order  0..100ms
  shop  a  internal  10..20ms
  mail  b  internal  30..40ms  resource.host.id=h2`)
	if got := trace.NewOrder(f, 5*time.Millisecond).EndBeforeStart(n["a"], n["b"]); got.Order != trace.Before || got.Uncertainty != 5*time.Millisecond {
		t.Errorf("10ms apart with 5ms of skew: got %+v", got)
	}
	if got := trace.NewOrder(f, 15*time.Millisecond).EndBeforeStart(n["a"], n["b"]); got.Order != trace.OrderUnknown {
		t.Errorf("10ms apart with 15ms of skew: got %+v", got)
	}
}

// A service whose clock is an hour ahead is ordered by its calls all the same,
// and a server that seems to end after its client loosens nothing.
func TestOrderAcrossSkewedClocks(t *testing.T) {
	f, n := flowOf(t, `
shop  order  0..100ms
  shop  call a  client  10..30ms
    stock  a  3600012..3600028ms  resource.host.id=h2
  shop  call b  client  40..60ms
    stock  b  3600042..3600063ms  resource.host.id=h2
  shop  later  internal  90..95ms`)
	o := trace.NewOrder(f, 0)
	if got := o.EndBeforeStart(n["a"], n["later"]); got.Order != trace.Before || got.By != trace.ByCausality {
		t.Errorf("a before later: got %+v", got)
	}
	if got := o.EndBeforeStart(n["later"], n["a"]); got.Order != trace.NotBefore {
		t.Errorf("later before a: got %+v", got)
	}
}

func TestContradictedTimestampsOrderNothing(t *testing.T) {
	f, n := flowOf(t, `
shop  order  50..100ms
  shop  a  internal  10..20ms
  shop  b  internal  60..70ms`)
	o := trace.NewOrder(f, 0)
	if got := o.Contradictions(); len(got) != 1 || got[0].By != 40*time.Millisecond {
		t.Fatalf("contradictions: got %+v, want one by 40ms", got)
	}
	if got := o.EndBeforeStart(n["a"], n["b"]); got.Order != trace.OrderUnknown {
		t.Errorf("a before b: got %+v, want unknown", got)
	}
}
