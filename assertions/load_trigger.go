package assertions

import (
	"strings"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

const triggerExample = "trigger: {http: {url: \"http://127.0.0.1:8080/checkout\"}}"

func (l *loader) trigger(p yamlfile.Pair) *Trigger {
	t := &Trigger{Range: p.Key.Range, Repeat: 1}
	ok := l.fields(p.Value, "trigger", triggerExample, []field{
		{"http", func(p yamlfile.Pair) { t.HTTP = l.httpTrigger(p) }},
		{"command", func(p yamlfile.Pair) { t.Command = l.commandTrigger(p) }},
		{"grpc", func(p yamlfile.Pair) { t.GRPC = l.grpcTrigger(p) }},
		{"repeat", l.number(&t.Repeat, 1, 1_000_000)},
	})
	if !ok || !l.oneAction(p) {
		return nil
	}
	return t
}

// oneAction checks that a trigger does one thing.
func (l *loader) oneAction(p yamlfile.Pair) bool {
	var actions []*yamlfile.Node
	for _, pair := range p.Value.Pairs {
		if strings.Contains(" http command grpc ", " "+pair.Key.Value+" ") {
			actions = append(actions, pair.Key)
		}
	}
	switch len(actions) {
	case 0:
		l.report(diag.Diagnostic{What: "a trigger that does nothing", Range: p.Key.Range, Label: "it needs http, command or grpc", Try: []string{triggerExample}})
		return false
	case 1:
		return true
	}
	l.report(diag.Diagnostic{What: "a trigger that does several things", Range: actions[1].Range, Label: "one of http, command and grpc",
		Also: []diag.Mark{{Range: actions[0].Range, Label: "this one too"}}, Notes: []string{"One flow is caused by one action; a command can do several."}})
	return false
}

func (l *loader) httpTrigger(p yamlfile.Pair) *HTTPTrigger {
	t := &HTTPTrigger{}
	ok := l.fields(p.Value, "http trigger", `http: {method: POST, url: "http://127.0.0.1:8080/checkout"}`, []field{
		{"method", l.templateField(&t.Method, true, "POST")},
		{"url", l.templateField(&t.URL, true, "http://127.0.0.1:8080/checkout")},
		{"headers", l.variables(&t.Headers, true, "headers: {Accept: application/json}")},
		{"body", l.templateField(&t.Body, true, "some text")},
		{"json", func(p yamlfile.Pair) { t.JSON = l.json(p.Value) }},
		{"timeout", l.duration(&t.Timeout, noZero)},
	})
	if !ok {
		return nil
	}
	l.need(p, "url", `url: "http://127.0.0.1:8080/checkout"`)
	body, _ := p.Value.Lookup("body")
	if json, both := p.Value.Lookup("json"); both && body.Key != nil {
		l.report(diag.Diagnostic{What: "a request with two bodies", Range: json.Key.Range, Label: "json is the body, as JSON", Also: []diag.Mark{{Range: body.Key.Range, Label: "body is the body, as it is"}}})
	}
	if t.Method.IsZero() {
		t.Method = Template{Range: t.URL.Range, parts: []templatePart{{text: defaultMethod(t)}}}
	}
	return t
}

func defaultMethod(t *HTTPTrigger) string {
	if t.JSON != nil || !t.Body.IsZero() {
		return "POST"
	}
	return "GET"
}

// need reports a key that the mapping must have.
func (l *loader) need(p yamlfile.Pair, key, example string) {
	if _, ok := p.Value.Lookup(key); !ok {
		l.report(diag.Diagnostic{What: p.Key.Value + " without " + key, Range: p.Key.Range, Label: "the key " + key + " is missing", Try: []string{example}})
	}
}

const commandExample = "command: {argv: [./place-order.sh]}"

// commandTrigger reads a mapping, or argv or a shell line alone.
func (l *loader) commandTrigger(p yamlfile.Pair) *CommandTrigger {
	t := &CommandTrigger{}
	if p.Value.Kind != yamlfile.Mapping {
		l.program(&t.Command, true)(p)
		return t
	}
	ok := l.fields(p.Value, "command trigger", commandExample, []field{
		{"argv", l.program(&t.Command, true)},
		{"dir", l.templateField(&t.Dir, true, ".")},
		{"env", l.variables(&t.Env, true, "env: {USER: alice}")},
		{"timeout", l.duration(&t.Timeout, noZero)},
	})
	if !ok {
		return nil
	}
	l.need(p, "argv", commandExample)
	return t
}

func (l *loader) grpcTrigger(p yamlfile.Pair) *GRPCTrigger {
	t := &GRPCTrigger{}
	ok := l.fields(p.Value, "grpc trigger", "grpc: {target: 127.0.0.1:9090, method: shop.Checkout/Place}", []field{
		{"target", l.templateField(&t.Target, true, "127.0.0.1:9090")},
		{"method", l.templateField(&t.Method, true, "shop.Checkout/Place")},
		{"json", func(p yamlfile.Pair) { t.JSON = l.json(p.Value) }},
		{"metadata", l.variables(&t.Metadata, true, "metadata: {user: alice}")},
		{"descriptors", l.templateField(&t.Descriptors, false, "shop.binpb")},
		{"timeout", l.duration(&t.Timeout, noZero)},
	})
	if !ok {
		return nil
	}
	l.need(p, "target", "target: 127.0.0.1:9090")
	l.need(p, "method", "method: shop.Checkout/Place")
	return t
}
