package report

import (
	"slices"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
)

// shownServices is how many services are listed of those that sent something.
const shownServices = 20

// arrived writes what was received in all, if a flow never happened or nothing was
// judged: then the question is what did arrive.
func (p *page) arrived(r *run.Result) {
	if !expectedMore(r) {
		return
	}
	p.blank()
	if r.Recorded {
		p.recorded(r.Received)
		return
	}
	if r.Received.Spans == 0 {
		p.nothingArrived(r)
		return
	}
	got := r.Received
	p.line(0, painted(bold, "What arrived"), text("   "+count(got.Spans, "span")+" in "+count(got.Traces, "trace")+" and "+count(got.Requests, "request")))
	p.services(got)
}

// recorded writes what a recording holds.
func (p *page) recorded(got run.Received) {
	p.line(0, painted(bold, "What was recorded"), text("   "+count(got.Spans, "span")+" in "+count(got.Traces, "trace")))
	p.services(got)
}

func (p *page) services(got run.Received) {
	width := 0
	for i, s := range got.Services {
		if i < shownServices {
			width = max(width, p.cells(serviceName(s.Service)))
		}
	}
	for i, s := range got.Services {
		if i == shownServices && !p.settings.Verbose {
			p.line(3, text("… and "+count(len(got.Services)-i, "more service")))
			break
		}
		p.line(3, text(p.pad(serviceName(s.Service), min(width, p.width/2))+"  "+count(s.Spans, "span")))
	}
}

// expectedMore reports whether some flow should have happened more often, or
// nothing was judged at all, though the system was there to make it happen.
func expectedMore(r *run.Result) bool {
	if slices.ContainsFunc(r.Steps, run.Step.CannotRun) {
		return false
	}
	if r.Tally(false).Judged() == 0 {
		return true
	}
	for i := range r.Files {
		for _, f := range r.Files[i].Flows {
			if len(f.Instances) == 0 && f.Runs != nil && f.Runs.Outcome != assertions.Pass {
				return true
			}
		}
	}
	return false
}

// nothingArrived says what to check when no span was received.
func (p *page) nothingArrived(r *run.Result) {
	p.line(0, painted(bold, "Nothing at all arrived."), text(" What to check:"))
	if r.Received.Requests > 0 {
		p.paragraph(3, plainPiece, count(r.Received.Requests, "request")+" came in, without a single span in them.")
	}
	for _, hint := range [...][2]string{
		{"endpoint", "Does the system send to the address that OTEL_EXPORTER_OTLP_ENDPOINT holds? A container reaches it by another name than 127.0.0.1."},
		{"protocol", "OTLP over gRPC or HTTP? Zipkin, Jaeger and vendor exporters send elsewhere. OTEL_EXPORTER_OTLP_TRACES_ENDPOINT overrides the endpoint."},
		{"exporter", "Is an OTLP trace exporter set up (OTEL_TRACES_EXPORTER is not none, OTEL_SDK_DISABLED not true), and is it flushed before the process ends?"},
		{"sampling", "Does OTEL_TRACES_SAMPLER or the parent's sampled flag drop the traces?"},
	} {
		p.paragraph(3, painted(bold, p.pad(hint[0], 10)), hint[1])
	}
}
