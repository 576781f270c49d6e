package otlp

import (
	"fmt"
	"slices"
)

// Tags of other signals' messages where a traces request has spans: all requests
// have the same envelope.
const (
	logTime         = 1<<3 | wire64
	logSeverity     = 2<<3 | wireVarint
	logFlags        = 8<<3 | wire32
	logObservedTime = 11<<3 | wire64

	metricName        = 1<<3 | wireBytes // of a span: the trace id
	metricGauge       = 5<<3 | wireBytes // of a span: the name
	metricSum         = 7<<3 | wireBytes
	metricHistogram   = 9<<3 | wireBytes // of a span: an attribute
	metricExponential = 10<<3 | wireBytes
	metricSummary     = 11<<3 | wireBytes // of a span: an event

	gaugePoints = 1<<3 | wireBytes
)

// foreign names the signal of b, which is no proper span, "" if it may be one after
// all. Broken means that it could not be read as a span.
func foreign(b []byte, broken bool) (signal string) {
	named, data := false, false
	m := read(b)
	for m.next() {
		switch m.tag {
		case logTime, logSeverity, logFlags, logObservedTime:
			return "logs"
		case metricSum:
			return "metrics"
		case metricName:
			named = printable(m.content)
		case metricGauge:
			data = data || len(m.content) > 0 && m.content[0] == gaugePoints
		case metricHistogram, metricExponential, metricSummary:
			data = data || broken
		case spanStart, spanEnd:
			return ""
		}
	}
	if named && data {
		return "metrics"
	}
	return ""
}

func printable(b []byte) bool {
	return len(b) > 0 && !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
}

func wrongSignal(signal string) error {
	return refuse(WrongSignal, fmt.Sprintf("this is a %s request, and it was sent to where spans go", signal))
}
