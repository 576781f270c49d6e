package lang

import (
	"net/url"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// The words that arrows become. They may be written by hand as well.
var arrowWords = []*Word{
	{Name: "calledBy", Group: "arrows", Doc: "the spans of x that some a calls; a client or producer span counts as the call that it makes",
		Args: []Arg{spansArg, aArg}, Result: typ(TSet), Class: Up, Edges: true, run: runCalledBy},
	{Name: "calledDirectlyBy", Group: "arrows", Doc: "calledBy, with no third service in between but those listed",
		Args: []Arg{spansArg, aArg, {Name: "through", Kind: ListArg, Optional: true}}, Result: typ(TSet), Class: Up, Edges: true, run: runCalledDirectlyBy},
	{Name: "entersService", Group: "arrows", Doc: "a call of the service, for an operation if given, arrives here: a server or consumer span of it, a client span that fetched messages, one whose parent is another service's, or the client or producer span that names it if it sends no spans; of several that tell of one call, one",
		Args: []Arg{{Name: "span", Kind: SpansArg}, {Name: "service", Kind: StringArg}, {Name: "operation", Kind: StringArg, Optional: true}}, Result: typ(TBool), Class: Fixed, Edges: true, run: runEntersService},
	{Name: "callees", Group: "arrows", Doc: "what a calls directly, but for the parties listed: their entry spans, or the spans that call peers which send none; databases only if listed",
		Args: []Arg{aArg, {Name: "but", Kind: ListArg, Optional: true}}, Result: typ(TSet), Class: Up, Edges: true, run: runCallees},
	{Name: "operation", Group: "arrows", Doc: "the span's name, METHOD /route, route, RPC method or messaging destination is this",
		Args: []Arg{{Name: "span", Kind: SpansArg}, {Name: "name", Kind: StringArg}}, Result: typ(TBool), Class: Fixed, Edges: true, run: runOperation},
}

func runCalledBy(f *Frame, e *Expr) (Value, *Doubt) {
	x, a, d := e.two(f, 0, 1)
	callers := membersOf(a)
	return chosen(x, func(n trace.Node) bool {
		if _, ok := f.CallerIn(callers.has, n); ok {
			return true
		}
		return f.leaves(n) && f.selfOrAbove(n, callers.has)
	}), d
}

func runCalledDirectlyBy(f *Frame, e *Expr) (Value, *Doubt) {
	x, a, d := e.two(f, 0, 1)
	var through []string
	if len(e.Args) > 2 {
		for _, s := range e.Args[2].value(f).Elems() {
			through = append(through, s.Str())
		}
	}
	callers := membersOf(a)
	return chosen(x, func(n trace.Node) bool {
		if f.directCaller(callers.has, n, through) != trace.None {
			return true
		}
		service := f.span(n).Service()
		return f.leaves(n) && f.selfOrAbove(n, func(m trace.Node) bool { return callers.has(m) && f.span(m).Service() == service })
	}), d
}

// leaves reports whether a span is the calling half of a call.
func (f *Frame) leaves(n trace.Node) bool {
	k := f.span(n).Kind()
	return k == trace.Client || k == trace.Producer
}

func (f *Frame) selfOrAbove(n trace.Node, in func(trace.Node) bool) bool {
	for ok := true; ok; n, ok = f.parentNode(n) {
		if f.step(1); in(n) {
			return true
		}
	}
	return false
}

// one is the single span that a word about one span is given.
func (e *Expr) one(f *Frame) (trace.Node, bool) {
	v := e.Args[0].value(f)
	return v.node(), v.kind == Span
}

func runEntersService(f *Frame, e *Expr) (Value, *Doubt) {
	n, ok := e.one(f)
	if !ok {
		return missing, nil
	}
	operation := ""
	if len(e.Args) > 2 {
		operation = e.Args[2].value(f).Str()
	}
	return f.entersService(n, e.Args[1].value(f).Str(), operation), nil
}

func (f *Frame) entersService(n trace.Node, service, operation string) Value {
	s := f.span(n)
	if s.Service() == service {
		switch s.Kind() {
		case trace.Server, trace.Consumer:
			return f.isEntry(n, operation)
		case trace.Client:
			if s.IsReceive() {
				return f.isFetch(n)
			}
		}
		p, state := f.parentOf(n)
		if state == awaited {
			return unknown(edgePending)
		}
		return boolValue(state == arrived && f.span(p).Service() != service)
	}
	if !f.leaves(n) || !slices.Contains(f.Peers(n), service) {
		return no
	}
	// The client span of a service that reports spans is no entry: its server span is,
	// and where that is missing, so is the call.
	if f.Instrumented != nil && f.Instrumented(service) {
		return no
	}
	if f.Open {
		return unknown(edgePending)
	}
	return boolValue(!f.isToldElsewhere(n, func(m trace.Node) bool {
		return slices.Contains(f.Peers(m), service) && f.does(m, operation)
	}))
}

// peerKeys are the attributes by which a calling span names its peer.
var peerKeys = [][]string{trace.Aliases("peer.service"), trace.Aliases("server.address"), trace.Aliases("messaging.destination.name"), trace.Aliases("rpc.service")}

// Peers are the names that a calling span has for its peer.
func (f *Frame) Peers(n trace.Node) []string {
	var out []string
	s := f.span(n)
	for _, keys := range peerKeys {
		for _, k := range keys {
			if v, ok := s.Attr(k); ok && v.Kind() == trace.String && !s.Kind().TellsApart(keys[0], k) {
				out = append(out, v.Str())
				if u := (url.URL{Host: v.Str()}); u.Port() != "" {
					out = append(out, u.Hostname())
				}
			}
		}
	}
	for _, k := range urlKeys { // Older clients say nothing else.
		v, ok := s.Attr(k)
		if u, err := url.Parse(v.Str()); ok && err == nil && u.Host != "" && !slices.Contains(out, u.Hostname()) {
			out = append(out, u.Hostname())
		}
	}
	return out
}

var urlKeys = trace.Aliases("url.full")

func runOperation(f *Frame, e *Expr) (Value, *Doubt) {
	n, ok := e.one(f)
	if !ok {
		return missing, nil
	}
	return boolValue(f.does(n, e.Args[1].value(f).Str())), nil
}

// does reports whether a span does what is wanted, "" being anything.
func (f *Frame) does(n trace.Node, want string) bool {
	return want == "" || slices.ContainsFunc(f.Operations(n), func(name string) bool { return sameOperation(name, want) })
}

// sameOperation compares two names; the last part of a gRPC method is enough.
func sameOperation(name, want string) bool {
	if name == want {
		return true
	}
	return !strings.Contains(want, "/") && strings.HasSuffix(name, "/"+want) && !strings.Contains(name, " ")
}

// Operations are the names of what a span does.
func (f *Frame) Operations(n trace.Node) []string {
	s := f.span(n)
	out := []string{s.Name()}
	get := func(key string) string {
		v, _ := anywhere.lookup(s, trace.Aliases(key))
		return v.Str()
	}
	if route := get("http.route"); route != "" {
		out = append(out, route, get("http.request.method")+" "+route)
	}
	if path := get("url.path"); path != "" {
		out = append(out, get("http.request.method")+" "+path)
	}
	if method := get("rpc.method"); method != "" {
		out = append(out, method, get("rpc.service")+"/"+method)
	}
	if destination := get("messaging.destination.name"); destination != "" {
		out = append(out, destination)
	}
	return out
}

// runCallees walks from the callers along their own service's spans to where they
// leave it.
func runCallees(f *Frame, e *Expr) (Value, *Doubt) {
	a, d := e.spans(f, 0)
	var but []string
	if len(e.Args) > 1 {
		for _, s := range e.Args[1].value(f).Elems() {
			but = append(but, s.Str())
		}
	}
	seen := membersOf(a)
	var out []trace.Node
	for queue := slices.Clone(a); len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		f.step(1)
		entered := false
		visit := func(m trace.Node) {
			if seen.has(m) {
				return
			}
			seen[m] = struct{}{}
			if f.span(m).Service() == f.span(n).Service() && f.span(m).Kind() != trace.Consumer {
				queue = append(queue, m)
				return
			}
			entered = true
			if !slices.Contains(but, f.span(m).Service()) {
				out = append(out, m)
			}
		}
		for m := range f.childrenOf(n) {
			visit(m)
		}
		for m := range f.effectsOf(n) {
			visit(m)
		}
		if !entered && f.leaves(n) && !f.span(n).IsReceive() && !f.allowedPeer(n, but) && !f.isToldElsewhere(n, func(m trace.Node) bool { return f.samePeer(n, m) }) {
			if f.Open {
				d = worse(d, edgePending)
				continue
			}
			out = append(out, n)
		}
	}
	return f.soonEnough(setValue(out, nil)), worse(d, f.coming())
}

// allowedPeer reports whether a calling span without a called one is no newcomer:
// it names a listed party, or nobody, or a database.
func (f *Frame) allowedPeer(n trace.Node, but []string) bool {
	peers := f.Peers(n)
	if f.isDatabase(n) {
		return true
	}
	for outer := range f.View.Around(n) {
		if f.isDatabase(outer) {
			return true
		}
	}
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p string) bool { return slices.Contains(but, p) })
}

func (f *Frame) isDatabase(n trace.Node) bool {
	_, key := anywhere.lookup(f.span(n), trace.Aliases("db.system.name"))
	return key != ""
}
