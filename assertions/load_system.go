package assertions

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// DefaultStart is how long the system has until it is ready, and DefaultStop how long to
// end after it was asked to. It may have to compile itself first.
const (
	DefaultStart = 2 * time.Minute
	DefaultStop  = 5 * time.Second
)

const systemExample = "system: {command: [go, run, ./system], ready: {tcp: 127.0.0.1:8080}}"

func (l *loader) system(p yamlfile.Pair) {
	s := &System{Range: p.Key.Range, Start: DefaultStart, Stop: DefaultStop}
	ok := l.fields(p.Value, "system", systemExample, []field{
		{"command", l.program(&s.Command, false)},
		{"dir", l.templateField(&s.Command.Dir, false, ".")},
		{"env", l.variables(&s.Command.Env, false, "env: {FAULT: none}")},
		{"ready", func(p yamlfile.Pair) { s.Ready = l.ready(p) }},
		{"start", l.duration(&s.Start, noZero)},
		{"stop", l.duration(&s.Stop, zeroAllowed)},
	})
	if !ok {
		return
	}
	if _, given := p.Value.Lookup("command"); !given {
		l.report(diag.Diagnostic{What: "a system without command", Range: p.Key.Range, Label: "nothing says how to start it", Try: []string{"command: [go, run, ./system]"}})
	}
	l.file.System = s
}

// program reads what to run: a list of arguments or a line for the shell.
func (l *loader) program(into *Command, late bool) func(yamlfile.Pair) {
	return func(p yamlfile.Pair) {
		into.Range = p.Value.Range
		if p.Value.Kind == yamlfile.Scalar {
			into.Shell, _ = l.templateOf(p.Value, late, "a command", "command: [go, run, ./system]")
			return
		}
		for _, item := range l.items(p.Value, "arguments", "command: [go, run, ./system]") {
			if t, ok := l.templateOf(item, late, "an argument", "command: [go, run, ./system]"); ok {
				into.Argv = append(into.Argv, t)
			}
		}
	}
}

func (l *loader) ready(p yamlfile.Pair) *Ready {
	r := &Ready{Range: p.Key.Range}
	ok := l.fields(p.Value, "ready", "ready: {tcp: 127.0.0.1:8080}", []field{
		{"http", l.templateField(&r.HTTP, false, "http://127.0.0.1:8080/healthz")},
		{"tcp", l.templateField(&r.TCP, false, "127.0.0.1:8080")},
		{"output", func(p yamlfile.Pair) { r.Output = l.regexp(p) }},
	})
	if !ok {
		return nil
	}
	switch len(p.Value.Pairs) {
	case 0:
		l.report(diag.Diagnostic{What: "ready says nothing", Range: p.Key.Range, Label: "it needs http, tcp or output", Try: []string{"ready: {tcp: 127.0.0.1:8080}"}})
		return nil
	case 1:
		r.Range = p.Value.Pairs[0].Value.Range
		return r
	}
	l.report(diag.Diagnostic{What: "ready says several things", Range: p.Value.Pairs[1].Key.Range, Label: "one of http, tcp and output is enough",
		Also: []diag.Mark{{Range: p.Value.Pairs[0].Key.Range, Label: "this one too"}}})
	return r
}

// regexp reads a regular expression, and notes the names that it captures.
func (l *loader) regexp(p yamlfile.Pair) *regexp.Regexp {
	n, ok := l.scalar(p.Value, "a regular expression", `output: 'listening on (?P<url>http://\S+)'`)
	if !ok {
		return nil
	}
	re, err := regexp.Compile(n.Value)
	if err != nil {
		l.report(badRegexp(n, err))
		return nil
	}
	for _, name := range re.SubexpNames() {
		if param, declared := l.params[name]; declared {
			l.report(diag.Diagnostic{What: fmt.Sprintf("%q is a param and captured", name), Range: n.Range, Label: "a captured name must be new",
				Also: []diag.Mark{{Range: param.Range, Label: "the param"}}})
		}
		l.captures[name] = name != ""
	}
	return re
}

func badRegexp(n *yamlfile.Node, err error) diag.Diagnostic {
	d := diag.Diagnostic{What: "this is no regular expression", Range: n.Range, Label: strings.TrimPrefix(err.Error(), "error parsing regexp: "),
		Notes: []string{"The syntax is that of RE2: github.com/google/re2/wiki/Syntax."}}
	if syntaxError, ok := err.(*syntax.Error); ok {
		if i := strings.Index(n.Value, syntaxError.Expr); i >= 0 && syntaxError.Expr != "" {
			d.Range, d.Label = n.At(i, i+len(syntaxError.Expr)), string(syntaxError.Code)
		}
	}
	return d
}
