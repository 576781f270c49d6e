package receiver_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// from is a batch of a service instance whose spans ended at the given time.
func from(service, instance string, first int, ended time.Time) ptraceotlp.ExportRequest {
	r := batch(first, 2)
	rs := r.Traces().ResourceSpans().At(0)
	rs.Resource().Attributes().PutStr("service.name", service)
	rs.Resource().Attributes().PutStr("service.instance.id", instance)
	for _, s := range rs.ScopeSpans().At(0).Spans().All() {
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(ended))
	}
	return r
}

// Whoever exports late is told so in its own log, once an instance, and the
// spans are kept.
func TestLagIsMeasuredAndTold(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, silent := range []bool{false, true} {
		sink := &memory{}
		s := start(t, receiver.Settings{NoAdvice: silent, Now: func() time.Time { return now }}, sink)
		client := exporter(t, s, grpc.WithUserAgent("test"))
		for i, c := range []struct {
			why, service, instance string
			lag                    time.Duration
			told                   bool
		}{
			{"in time", "shop", "a", 100 * time.Millisecond, false},
			{"late for the first time", "shop", "b", 4900 * time.Millisecond, true},
			{"late again", "shop", "b", 5 * time.Second, false},
			{"late after having been in time", "shop", "a", 5 * time.Second, true},
			{"another service", "cart", "a", 3 * time.Second, true},
			{"old spans say nothing about lag", "replayed", "a", time.Hour, false},
			{"nor does a clock that is ahead", "ahead", "a", -time.Second, false},
		} {
			answer, err := client.Export(t.Context(), from(c.service, c.instance, 10*i, now.Add(-c.lag)))
			if err != nil {
				t.Fatal(err)
			}
			p := answer.PartialSuccess()
			told := strings.Contains(p.ErrorMessage(), "OTEL_BSP_SCHEDULE_DELAY") && strings.Contains(p.ErrorMessage(), c.lag.String()+" late")
			if want := c.told && !silent; told != want || p.RejectedSpans() != 0 || !told && p.ErrorMessage() != "" {
				t.Errorf("%s: told %q (rejected %d), want %v", c.why, p.ErrorMessage(), p.RejectedSpans(), want)
			}
		}
		wantSpans(t, sink, 14)
		row := func(service, instance string, spans uint64, lag trace.Lag) receiver.Sender {
			return receiver.Sender{Service: service, Instance: "/" + service + "/" + instance, Peer: "127.0.0.1",
				UserAgent: "test grpc-go/" + grpc.Version, Spans: spans, Lag: lag}
		}
		want := []receiver.Sender{
			row("ahead", "a", 2, trace.Lag{Unknown: true}),
			row("cart", "a", 2, trace.Lag{Most: 3 * time.Second}),
			row("replayed", "a", 2, trace.Lag{Unknown: true}),
			row("shop", "a", 4, trace.Lag{Most: 5 * time.Second}),
			row("shop", "b", 4, trace.Lag{Most: 5 * time.Second}),
		}
		if diff := cmp.Diff(want, s.Stats().Senders); diff != "" {
			t.Errorf("senders (-want +got):\n%s", diff)
		}
	}
}

// Whose spans are late because it was told to retry is not told to send sooner.
func TestNoLagAdviceAfterRetries(t *testing.T) {
	sink := &memory{err: errors.New("full")}
	s := start(t, receiver.Settings{}, sink)
	late := from("shop", "a", 0, time.Now().Add(-5*time.Second))
	if _, err := exporter(t, s).Export(t.Context(), late); err == nil {
		t.Fatal("the sink did not refuse")
	}
	sink.err = nil
	answer, err := exporter(t, s).Export(t.Context(), late)
	if err != nil || answer.PartialSuccess().ErrorMessage() != "" {
		t.Errorf("answer %q, %v", answer.PartialSuccess().ErrorMessage(), err)
	}
}

// Senders without end do not fill the memory.
func TestManySenders(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	client := exporter(t, s)
	for i := range 1100 {
		if _, err := client.Export(t.Context(), from("s", strings.Repeat("x", i+1), 2*i, time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	all := s.Stats().Senders
	if len(all) > 1001 || all[0].Service != "" || all[0].Spans != 200 {
		t.Errorf("%d rows, the first of %q with %d spans; want 1001, and 200 spans without a name", len(all), all[0].Service, all[0].Spans)
	}
}

// A wrong path is served, and the owner of the exporter told in its own log.
func TestPathAdvice(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	first, second := post(t, s, "/v1/traces/", jsonType, "{}"), post(t, s, "/v1/traces/", jsonType, "{}")
	if first.StatusCode != 200 || !strings.HasPrefix(first.body, `{"partialSuccess":{"errorMessage":"your exporter posts to`) {
		t.Errorf("the first answer: %s %s", first.Status, first.body)
	}
	if second.StatusCode != 200 || second.body != "{}" {
		t.Errorf("the second answer: %s %s", second.Status, second.body)
	}
}
