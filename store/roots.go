package store

import (
	"slices"
	"sort"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/followspan/followspan/trace"
)

// roots are the server spans that name neither a parent nor a link, in the order of
// their starts: requests from outside, and calls whose context was lost.
type roots struct{ all []root }

type root struct {
	start trace.Time
	node  trace.Node
}

func (r *roots) add(n trace.Node, span trace.Span) {
	if span.Kind() != trace.Server || !span.ParentID().IsZero() {
		return
	}
	for range span.Links() {
		return
	}
	i := sort.Search(len(r.all), func(i int) bool { return r.all[i].start > span.Start() })
	r.all = slices.Insert(r.all, i, root{span.Start(), n})
}

// Tolerances for the times of two processes, on one machine and on two.
const (
	sameClock   = time.Millisecond
	otherClocks = time.Second
)

// answered reports whether a root may be the server's side of a call that has none:
// it belongs to no flow, happened within the call, and nothing that both sides tell
// says otherwise. Then the call's context was lost on the way, and what it caused is
// not seen where it belongs.
func (r *roots) answered(v trace.View, client trace.Span) bool {
	from := client.Start().Add(-otherClocks)
	first := sort.Search(len(r.all), func(i int) bool { return r.all[i].start >= from })
	for _, one := range r.all[first:] {
		if one.start > client.End().Add(otherClocks) {
			break
		}
		if server := v.Span(one.node); !v.Caused(one.node) && within(server, client) && agree(server, client) {
			return true
		}
	}
	return false
}

func within(server, client trace.Span) bool {
	tolerance := otherClocks
	if h := server.Resource().Host(); h != "" && h == client.Resource().Host() {
		tolerance = sameClock
	}
	return server.End().Sub(server.Start()) <= client.End().Sub(client.Start())+sameClock &&
		server.Start() >= client.Start().Add(-tolerance) && server.End() <= client.End().Add(tolerance)
}

// told are the attributes that both sides of a call have in common if they have them.
var told = []string{
	string(semconv.ServerAddressKey), string(semconv.ServerPortKey), string(semconv.HTTPRequestMethodKey), "rpc.service", string(semconv.RPCMethodKey),
}

func agree(server, client trace.Span) bool {
	for _, key := range told {
		if a, b := text(server, key), text(client, key); a != "" && b != "" && a != b {
			return false
		}
	}
	return true
}
