package sketch

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// words reads what stands after the name.
func (p *parser) words(l *line, rest string) error {
	l.resource = p.defaultResource(l.service)
	words, err := splitWords(rest)
	if err != nil {
		return err
	}
	timed, arrives := false, ""
	for _, w := range words {
		switch key, value, isPair := strings.Cut(w, "="); {
		case strings.Contains(key, ".."):
			if err := times(l, w); err != nil {
				return err
			}
			timed = true
		case !isPair:
			if err := p.bareWord(l, w); err != nil {
				return err
			}
		case key == "at":
			arrives = value
		default:
			if err := pair(l, key, value); err != nil {
				return err
			}
		}
	}
	if !timed {
		return fmt.Errorf("%s %q has no START..END", l.service, l.data.Name)
	}
	if l.at = l.data.End; arrives != "" {
		l.at, err = moment(arrives, "")
	}
	return err
}

func (p *parser) defaultResource(service string) []trace.Attr {
	attrs := []trace.Attr{
		{Key: "service.name", Value: trace.StringValue(service)},
		{Key: "service.instance.id", Value: trace.StringValue(service + "-1")},
		{Key: "host.id", Value: trace.StringValue("h1")},
		{Key: "telemetry.sdk.language", Value: trace.StringValue("go")},
	}
	for _, a := range p.resources[service] {
		attrs = set(attrs, a.Key, a.Value)
	}
	return attrs
}

func (p *parser) bareWord(l *line, w string) error {
	if label, ok := strings.CutPrefix(w, "#"); ok {
		if p.labels[label] != nil {
			return fmt.Errorf("label #%s stands twice", label)
		}
		l.label, p.labels[label] = label, l
		return nil
	}
	if kind, ok := trace.ParseKind(w); ok {
		l.data.Kind, l.kindSet = kind, true
		return nil
	}
	switch w {
	case "ok":
		l.data.Status = trace.Ok
	case "error":
		l.data.Status = trace.Error
	default:
		return fmt.Errorf("unknown word %q: want a kind, a status, #label, START..END or key=value", w)
	}
	return nil
}

func pair(l *line, key, value string) error {
	switch key {
	case "error":
		l.data.Status, l.data.StatusMessage = trace.Error, parseValue(value).Str()
	case "link":
		l.links = append(l.links, strings.TrimPrefix(value, "#"))
	case "parent":
		l.parentOf = strings.TrimPrefix(value, "#")
	case "trace":
		l.traceOf = strings.TrimPrefix(value, "#")
	case "event":
		name, at, _ := strings.Cut(value, "@")
		t, err := moment(at, "")
		if err != nil {
			return err
		}
		l.data.Events = append(l.data.Events, trace.EventData{Name: name, Time: t})
	default:
		if name, ok := strings.CutPrefix(key, "resource."); ok {
			l.resource = set(l.resource, name, parseValue(value))
			return nil
		}
		l.data.Attrs = append(l.data.Attrs, trace.Attr{Key: key, Value: parseValue(value)})
	}
	return nil
}

// set replaces or appends; the value "missing" removes.
func set(attrs []trace.Attr, key string, v trace.Value) []trace.Attr {
	var out []trace.Attr
	found := false
	for _, a := range attrs {
		if a.Key == key {
			a.Value, found = v, true
		}
		if a.Value != trace.StringValue("missing") {
			out = append(out, a)
		}
	}
	if !found && v != trace.StringValue("missing") {
		out = append(out, trace.Attr{Key: key, Value: v})
	}
	return out
}

func times(l *line, w string) error {
	from, to, _ := strings.Cut(w, "..")
	unit := strings.TrimLeft(to, "-0123456789.")
	var err error
	if l.data.Start, err = moment(from, unit); err != nil {
		return err
	}
	l.data.End, err = moment(to, "")
	return err
}

// moment reads a duration after Base; unit is added to a bare number.
func moment(s, unit string) (trace.Time, error) {
	if strings.TrimLeft(s, "-0123456789.") == "" {
		s += unit
	}
	if s == "0" {
		return Base, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("time %q: want something like 20ms", s)
	}
	return Base.Add(d), nil
}

// parseValue gives the type that the text looks like.
func parseValue(s string) trace.Value {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return trace.IntValue(i)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return trace.DoubleValue(f)
	}
	if quoted, err := strconv.Unquote(s); err == nil {
		return trace.StringValue(quoted)
	}
	switch {
	case s == "true" || s == "false":
		return trace.BoolValue(s == "true")
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		var elems []trace.Value
		for e := range strings.SplitSeq(s[1:len(s)-1], ",") {
			if e = strings.TrimSpace(e); e != "" {
				elems = append(elems, parseValue(e))
			}
		}
		return trace.ListValue(elems...)
	}
	return trace.StringValue(s)
}

// splitWords splits at white space outside quotes and brackets; " # " ends it.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, depth := false, 0
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quoted && i+1 < len(s):
			word.WriteByte(c)
			i++
			c = s[i]
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '#' && word.Len() == 0 && (i+1 == len(s) || s[i+1] == ' '):
			flush()
			return words, nil
		case (c == ' ' || c == '\t') && depth <= 0:
			flush()
			continue
		}
		word.WriteByte(c)
	}
	flush()
	if quoted {
		return nil, fmt.Errorf("a quote is not closed in %q", s)
	}
	return words, nil
}
