package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// loose are the members of an object that was read one by one.
type loose struct {
	raw    []byte // the object, put together again
	names  []string
	pieces []piece
}

// piece says where a part of the object stands in the file.
type piece struct {
	at    int
	place int64
}

func (l *loose) reset() { l.raw, l.names, l.pieces = append(l.raw[:0], '{'), l.names[:0], l.pieces[:0] }

func (l *loose) add(name string, value []byte, place, limit int64) error {
	if int64(len(l.raw)+len(value)) > limit {
		return ErrTooLarge
	}
	if len(l.names) > 0 {
		l.raw = append(l.raw, ',')
	}
	l.raw, _ = jsontext.AppendQuote(l.raw, name) // invalid UTF-8 is replaced
	l.raw = append(l.raw, ':')
	l.pieces = append(l.pieces, piece{len(l.raw), place})
	l.raw = append(l.raw, value...)
	l.names = append(l.names, name)
	return nil
}

// place maps an offset in the object to one in the file.
func (l *loose) place(at int, start int64) int64 {
	place := start
	for _, p := range l.pieces {
		if p.at <= at {
			place = p.place + int64(at-p.at)
		}
	}
	return place
}

// looseRecord reads an object that is no envelope.
func (j *jsonReader) looseRecord(start int64) error {
	if j.lines.layout != byLine {
		j.record++
	}
	l := &j.loose
	l.raw = append(l.raw, '}')
	has := func(name string) bool { return slices.Contains(l.names, name) }
	var decode func([]byte) *cursor
	switch {
	case has("scopeSpans") || has("scope_spans"):
		decode = j.resourceSpans
	case has("spanCount"):
		return j.fault(start, errors.New("this is what followspan show --format json writes for other programs; what it writes with --format otlp can be read"))
	case has("spans"):
		decode = j.jaegerTrace
	case has("traceId") && has("id"):
		decode = j.zipkinSpan
	case has("error"):
		return j.fault(start, fmt.Errorf("this is no trace but the report of an error: %s", shown(errorText(l.raw))))
	default:
		names := strings.Join(l.names[:min(len(l.names), 5)], ", ")
		return j.fault(start, fmt.Errorf("this object is no trace: it has %s; want resourceSpans (OTLP), data (Jaeger) or traceId and id (Zipkin)", names))
	}
	return j.decode(l.raw, decode, func(at int) int64 { return l.place(at, start) })
}

// errorText is what servers say in the member error, which is a text or has a message.
func errorText(raw []byte) string {
	var said struct {
		Error any `json:"error"`
	}
	_ = json.Unmarshal(raw, &said) // which is JSON
	if e, ok := said.Error.(map[string]any); ok && e["message"] != nil {
		said.Error = e["message"]
	}
	return fmt.Sprint(said.Error)
}
