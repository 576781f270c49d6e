package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonReader reads JSON of any of the formats. It streams lists of records, and
// holds one record at a time.
type jsonReader struct {
	*file
	lines  *lines
	tokens jsontext.Decoder
	record int
	loose  loose           // the members of the object that is read, if it is a record itself
	broken bool            // nothing more can be read
	said   json.RawMessage // what a line of a bundle says beside its spans
}

// json reads a text of JSON to its end.
func (f *file) json(l *lines) error {
	j := &jsonReader{file: f, lines: l}
	for j.lines.next() && !j.broken {
		j.tokens.Reset(limited{j}, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err := j.line(); err != nil {
			return err
		}
	}
	return f.flush()
}

// limited refuses to buffer more than one record.
type limited struct{ j *jsonReader }

// Read fills p, because for each piece that it gets the decoder moves all that it
// holds.
func (l limited) Read(p []byte) (int, error) {
	if l.j.lines.given-l.j.tokens.InputOffset() > l.j.settings.MaxRecord {
		return 0, ErrTooLarge
	}
	n, err := io.ReadFull(l.j.lines, p)
	if n > 0 {
		return n, nil // an error shows again
	}
	return 0, err
}

// line reads all values of one line, or of the whole text.
func (j *jsonReader) line() error {
	if j.lines.layout == byLine {
		j.record = j.lines.number
	}
	for {
		err := j.value()
		switch {
		case err == io.EOF:
			return j.lineEnd()
		case err != nil:
			return j.syntax(err)
		}
	}
}

// lineEnd hands out what a line held.
func (j *jsonReader) lineEnd() error {
	switch {
	case j.bundle != nil && j.said != nil:
		spans := j.builder.Commit()
		j.pending, j.report.Spans = 0, j.report.Spans+len(spans)
		said := j.said
		j.said = nil
		return j.bundle(said, spans)
	case j.lines.layout == byLine:
		return j.flush()
	}
	return nil
}

// syntax reports a text that is no JSON, or one that cannot be read. What is left
// of the line is lost, and with it the whole text if it is no lines.
func (j *jsonReader) syntax(err error) error {
	var stop stopped
	if errors.As(err, &stop) {
		return stop.error
	}
	j.broken = j.lines.layout == whole
	at := j.tokens.InputOffset()
	var bad *jsontext.SyntacticError
	switch {
	case errors.Is(err, ErrTooLarge):
		err = j.tooLarge("this record")
	case errors.As(err, &bad):
		at, err = bad.ByteOffset, fmt.Errorf("this is no JSON: %w", bad.Err)
		if errors.Is(bad.Err, io.ErrUnexpectedEOF) {
			err = errTruncated
		}
	default:
		if cause := errors.Unwrap(err); cause != nil {
			err = j.unreadable(cause)
		}
		j.broken = true
	}
	return j.fault(j.lines.start+at, err)
}

// fault reports what could not be understood; the error is nil if reading goes on.
func (j *jsonReader) fault(at int64, err error) error {
	unit := "record"
	if j.lines.layout == byLine {
		unit = "line"
	}
	return j.file.fault(&Error{File: j.name, Unit: unit, Record: max(j.record, 1), Offset: at, Err: err})
}

// value reads a value that holds records, or is one.
func (j *jsonReader) value() error {
	switch kind := j.tokens.PeekKind(); kind {
	case '{':
		return j.object()
	case '[':
		return j.list(j.value)
	case jsontext.KindInvalid:
		_, err := j.tokens.ReadToken()
		return err
	default:
		at := j.lines.start + j.tokens.InputOffset()
		if err := j.tokens.SkipValue(); err != nil {
			return err
		}
		err := stop(j.fault(at, fmt.Errorf("want an object or a list, got %s", typeName(byte(kind)))))
		if err == nil && j.lines.layout == byLine && j.tokens.StackDepth() == 0 {
			err = io.EOF // What else stands on the line is no better.
		}
		return err
	}
}

// stop keeps an error from being taken for one of the syntax.
func stop(err error) error {
	if err != nil {
		return stopped{err}
	}
	return nil
}

// list reads the elements of a list one by one; null is an empty list.
func (j *jsonReader) list(element func() error) error {
	if j.tokens.PeekKind() != '[' {
		return j.notList()
	}
	if _, err := j.tokens.ReadToken(); err != nil {
		return err
	}
	for j.tokens.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := j.tokens.ReadToken()
	return err
}

func (j *jsonReader) notList() error {
	kind := j.tokens.PeekKind()
	at := j.lines.start + j.tokens.InputOffset()
	if err := j.tokens.SkipValue(); err != nil {
		return err
	}
	if kind == 'n' {
		return nil
	}
	return stop(j.fault(at, fmt.Errorf("want a list, got %s", typeName(byte(kind)))))
}

// object reads an envelope, in which lists of records lie, or a record.
func (j *jsonReader) object() error {
	if _, err := j.tokens.ReadToken(); err != nil {
		return err
	}
	start, envelope := j.lines.start+j.tokens.InputOffset()-1, false
	j.loose.reset()
	for j.tokens.PeekKind() != '}' {
		name, err := j.tokens.ReadToken()
		if err != nil {
			return err
		}
		known, err := j.member(name.String())
		if err != nil {
			return err
		}
		envelope = envelope || known
	}
	if _, err := j.tokens.ReadToken(); err != nil {
		return err
	}
	if envelope || len(j.loose.names) == 0 {
		return nil
	}
	return stop(j.looseRecord(start))
}

// member reads one member of an object and reports whether it belongs to an
// envelope.
func (j *jsonReader) member(name string) (bool, error) {
	switch name {
	case "resourceSpans", "resource_spans", "batches": // Tempo's API says batches
		return true, j.records(j.resourceSpans)
	case "data": // Jaeger's API and the export of its UI
		return true, j.records(j.jaegerTrace)
	case "result", "trace": // Jaeger's API v3, Tempo's API v2
		if j.tokens.PeekKind() == '{' && j.tokens.StackDepth() == 1 {
			return true, j.object()
		}
	case bundleMember:
		j.report.Format = RunBundle
		raw, err := j.tokens.ReadValue()
		j.said = slices.Clone(json.RawMessage(raw))
		return true, err
	case "errors": // of Jaeger's API
		return j.answered()
	case "status": // of Tempo's API v2
		if j.tokens.PeekKind() == '"' && j.tokens.StackDepth() == 1 {
			token, err := j.tokens.ReadToken()
			if err == nil && token.String() == "PARTIAL" {
				j.report.Partial++
			}
			return false, err
		}
	case "resourceLogs", "resource_logs":
		return true, j.otherSignal("logs")
	case "resourceMetrics", "resource_metrics":
		return true, j.otherSignal("metrics")
	case "resourceProfiles", "resource_profiles":
		return true, j.otherSignal("profiles")
	}
	raw, err := j.tokens.ReadValue()
	if err == nil {
		at := j.lines.start + j.tokens.InputOffset() - int64(len(raw))
		err = j.loose.add(name, raw, at, j.settings.MaxRecord)
	}
	return false, err
}

// answered reads the errors that Jaeger's API answers beside, or instead of, data.
func (j *jsonReader) answered() (bool, error) {
	raw, err := j.tokens.ReadValue()
	var said []struct {
		Message string `json:"msg"`
	}
	if err != nil || json.Unmarshal(raw, &said) != nil || len(said) == 0 {
		return true, err
	}
	at := j.lines.start + j.tokens.InputOffset() - int64(len(raw))
	return true, stop(j.fault(at, fmt.Errorf("Jaeger answered with an error: %s", shown(said[0].Message))))
}

func (j *jsonReader) otherSignal(signal string) error {
	j.report.skip(signal)
	return j.tokens.SkipValue()
}

// records reads a list whose elements are records.
func (j *jsonReader) records(decode func(raw []byte) *cursor) error {
	return j.list(func() error {
		raw, err := j.tokens.ReadValue()
		if err != nil {
			return err
		}
		if j.lines.layout != byLine {
			j.record++
		}
		start := j.lines.start + j.tokens.InputOffset() - int64(len(raw))
		return stop(j.decode(raw, decode, func(at int) int64 { return start + int64(at) }))
	})
}

// decode reads one record. Place maps an offset in it to one in the file.
func (j *jsonReader) decode(raw []byte, decode func([]byte) *cursor, place func(int) int64) error {
	if at := invalidUTF8(raw); at >= 0 {
		return j.fault(place(at), errors.New("this is no UTF-8"))
	}
	j.spanFault = func(at int, err error) error { return j.fault(place(at), err) }
	c := decode(raw)
	var known *Error
	if errors.As(c.err, &known) {
		return c.err // of a span, which was reported
	}
	if c.err != nil {
		if err := j.fault(place(c.at), c.err); err != nil {
			return err
		}
	}
	return j.offer()
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
