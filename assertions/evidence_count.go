package assertions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// count explains a comparison of how many there are.
func (x *explainer) count(c, call *lang.Expr, limit lang.Value) {
	set := call.Args[0]
	nodes := set.Value(x.frame).Nodes()
	if p := call.Closure(); p != nil {
		nodes = x.satisfying(nodes, p)
	}
	n := int(call.Value(x.frame).Int())
	want := limit.Int()
	operator := c.Operator
	if c.Args[1] == call {
		operator = mirrored[operator]
	}
	few, asked := asks(operator, n, want)
	x.Why = fmt.Sprintf("%s, %s", counted(n, "span"), asked)
	switch {
	case n == 0 && x.setOf(set) != nil:
		x.nothing(set)
		x.Why = fmt.Sprintf("0 spans, %s", asked)
	case few:
		for _, m := range nodes {
			x.span(m, "")
		}
		if plan := x.setOf(set); plan != nil {
			x.nearest(plan)
			x.unconsumed(plan)
		}
	default:
		x.surplus(nodes)
	}
}

var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// asks says what a comparison wants, and whether there were too few.
func asks(operator string, n int, want int64) (few bool, text string) {
	switch operator {
	case "==":
		if int64(n) < want {
			return true, fmt.Sprintf("exactly %d wanted", want)
		}
		return false, fmt.Sprintf("exactly %d allowed", want)
	case "<=":
		return false, fmt.Sprintf("at most %d allowed", want)
	case "<":
		return false, fmt.Sprintf("fewer than %d allowed", want)
	case ">=":
		return true, fmt.Sprintf("at least %d wanted", want)
	case ">":
		return true, fmt.Sprintf("more than %d wanted", want)
	}
	return false, fmt.Sprintf("any number but %d wanted", want)
}

func (x *explainer) satisfying(nodes []trace.Node, closure *lang.Expr) (out []trace.Node) {
	for _, n := range nodes {
		if closure.For(x.frame, lang.SpanValue(n)).True() {
			out = append(out, n)
		}
	}
	return out
}

// present explains a set that should be empty.
func (x *explainer) present(set *lang.Expr) {
	nodes := x.frame.ByStart(set.Value(x.frame).Nodes())
	x.Why = fmt.Sprintf("%s, none allowed", counted(len(nodes), "span"))
	for _, n := range nodes {
		x.span(n, "%s", x.chainAbove(n))
	}
}

// surplus shows spans of which there are too many, and what tells them apart.
func (x *explainer) surplus(nodes []trace.Node) {
	nodes = x.frame.ByStart(nodes)
	keys := x.differing(nodes)
	for _, n := range nodes {
		x.span(n, "%s", x.valuesOfKeys(n, keys))
	}
	x.repetition(nodes)
}

// maxKeys is how many differing attributes are shown of each span.
const maxKeys = 3

// differing are the attributes that tell spans apart, those that name things first.
func (x *explainer) differing(nodes []trace.Node) []string {
	values := map[string]map[string]int{}
	var keys []string
	for _, n := range nodes {
		for key, v := range x.flow.Span(n).Attrs() {
			if values[key] == nil {
				values[key] = map[string]int{}
				keys = append(keys, clone(key))
			}
			values[key][v.String()]++
		}
	}
	keys = slices.DeleteFunc(keys, func(k string) bool {
		present := 0
		for _, n := range values[k] {
			present += n
		}
		return len(values[k]) == 1 && present == len(nodes) || noise(k)
	})
	slices.SortStableFunc(keys, func(a, b string) int {
		switch {
		case identifies(a) == identifies(b):
			return 0
		case identifies(a):
			return -1
		}
		return 1
	})
	return keys[:min(len(keys), maxKeys)]
}

// noise reports whether an attribute differs between any two spans and says nothing.
func noise(key string) bool {
	for _, prefix := range []string{"thread.", "code.", "network.peer.", "net.sock.", "client.port", "server.port", "net.peer.port", "telemetry."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (x *explainer) valuesOfKeys(n trace.Node, keys []string) string {
	var parts []string
	for _, k := range keys {
		v, ok := x.flow.Span(n).Attr(k)
		if !ok {
			parts = append(parts, "no "+k)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s = %s", k, clone(v.String())))
	}
	return strings.Join(parts, ", ")
}

// repetition says what the spans share: one caller, one message.
func (x *explainer) repetition(nodes []trace.Node) {
	if len(nodes) < 2 {
		return
	}
	parent, same := trace.None, true
	for i, n := range nodes {
		p, ok := x.flow.Parent(n)
		same = same && ok && (i == 0 || p == parent)
		parent = p
	}
	if same {
		x.note("All have the same parent, %s: it made the call again.", x.name(parent))
	}
	ids := map[string]int{}
	for _, n := range nodes {
		if id := x.attr(n, "messaging.message.id"); id != "" {
			ids[id]++
		}
	}
	switch {
	case len(ids) == 0:
	case len(ids) == 1 && ids[firstKey(ids)] == len(nodes):
		x.note("All are of one message, %s: it was delivered again.", firstKey(ids))
	default:
		x.note("They are of %d different messages: it was sent again.", len(ids))
	}
}

func firstKey(m map[string]int) string {
	for k := range m {
		return k
	}
	return ""
}
