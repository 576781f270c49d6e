package run

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/followspan/followspan/trace"
)

// traffic makes up the spans of a system that handles many requests, with all that
// real ones do to traces: work that goes on asynchronously, over messages, links and
// traces of its own; several requests in one trace; retries, batches, copies; halves
// that share an id; contexts and spans that are lost on the way.
type traffic struct {
	r      *rand.Rand
	spans  []sent
	queued []*sent // producers that a batch consumer has not read yet
	clocks map[string]time.Duration
	ids    uint64
	orders int
}

// sent is a span with the service that sent it, each on a host of its own.
type sent struct {
	trace.SpanData
	service string
}

var trafficServices = []string{"shop", "stock", "payment", "mail", "audit", "ship"}

// newTraffic makes requests until there are about so many spans.
func newTraffic(seed uint64, spans int) *traffic {
	g := &traffic{r: rand.New(rand.NewPCG(seed, 11)), clocks: map[string]time.Duration{}}
	if g.chance(0.5) {
		for _, service := range trafficServices {
			g.clocks[service] = time.Duration(g.r.IntN(200)-100) * time.Millisecond
		}
	}
	for at := trace.Time(1e18); len(g.spans) < spans; at = at.Add(time.Second) {
		g.visit(at)
	}
	return g
}

func (g *traffic) chance(p float64) bool { return g.r.Float64() < p }

func (g *traffic) span() (id trace.SpanID) {
	g.ids++
	binary.BigEndian.PutUint64(id[:], g.ids)
	return id
}

func (g *traffic) trace() (id trace.TraceID) {
	g.ids++
	binary.BigEndian.PutUint32(id[:], uint32(g.ids))
	id[15] = 1
	return id
}

// visit is one trace with all that it causes.
func (g *traffic) visit(at trace.Time) {
	switch id := g.trace(); g.r.IntN(5) {
	case 0: // a test suite, whose cases share a trace
		root := g.add("suite", trace.SpanData{TraceID: id, Name: "tests", Kind: trace.Internal, Start: at, End: at.Add(900 * time.Millisecond)})
		for range 2 + g.r.IntN(3) {
			at = g.order(id, g.under(root.ID), g.later(at), 0)
		}
	case 1: // a batch of what others have sent
		g.batch(id, at)
	case 2: // its caller sends no spans, or names none
		g.order(id, [2]trace.SpanID{g.span(), {}}[g.r.IntN(2)], at, 0)
	default:
		g.order(id, trace.SpanID{}, at, 0)
	}
}

// add books a span, unless it is lost, now and then with copies.
func (g *traffic) add(service string, d trace.SpanData) *sent {
	if d.ID.IsZero() {
		d.ID = g.span()
	}
	s := sent{SpanData: d, service: service}
	s.Start, s.End = d.Start.Add(g.clocks[service]), d.End.Add(g.clocks[service])
	if g.chance(0.02) {
		return &s
	}
	for range 1 + g.r.IntN(21)/20 {
		g.spans = append(g.spans, s)
	}
	return &s
}

// under is the parent that a child names: sometimes one that never arrives, or none.
func (g *traffic) under(parent trace.SpanID) trace.SpanID {
	switch {
	case g.chance(0.01):
		return g.span()
	case g.chance(0.01):
		return trace.SpanID{}
	}
	return parent
}

func (g *traffic) later(at trace.Time) trace.Time {
	return at.Add(time.Duration(1+g.r.IntN(3000)) * time.Microsecond)
}

// order is the request that the flows are about.
func (g *traffic) order(id trace.TraceID, parent trace.SpanID, at trace.Time, depth int) trace.Time {
	g.orders++
	d := trace.SpanData{TraceID: id, ID: g.span(), Parent: parent, Name: "order", Kind: trace.Server, Start: at}
	d.Attrs = []trace.Attr{textAttr("order.id", fmt.Sprint("o-", g.orders-g.r.IntN(40)/39))} // now and then that of another
	d.End = g.handle("shop", &d, at, depth)
	g.add("shop", d)
	return d.End
}

// handle is what a service does for a request: the children of d.
func (g *traffic) handle(service string, d *trace.SpanData, at trace.Time, depth int) trace.Time {
	for range g.r.IntN(max(2, 6-depth)) {
		to := trafficServices[g.r.IntN(len(trafficServices))]
		at = g.later(at)
		switch {
		case depth > 6:
		case g.chance(0.05): // the same once more, below itself
			at = g.order(d.TraceID, g.under(d.ID), at, depth+1)
		case g.chance(0.25):
			end := g.later(at)
			g.add(service, trace.SpanData{TraceID: d.TraceID, Parent: g.under(d.ID), Name: "work", Kind: trace.Internal, Start: at, End: end, Links: g.links()})
			at = end
		case g.chance(0.4):
			g.send(service, to, d, at, depth)
		default:
			for attempts := 1 + g.r.IntN(5)/4; attempts > 0; attempts-- {
				at = g.call(service, to, d, at, depth, attempts > 1)
			}
		}
	}
	return g.later(at)
}

// links are to any span that there is, now and then.
func (g *traffic) links() (out []trace.LinkData) {
	if g.chance(0.05) && len(g.spans) > 0 {
		s := g.spans[g.r.IntN(len(g.spans))]
		out = append(out, trace.LinkData{TraceID: s.TraceID, SpanID: s.ID})
	}
	return out
}

func (g *traffic) call(from, to string, d *trace.SpanData, at trace.Time, depth int, fails bool) trace.Time {
	client := trace.SpanData{TraceID: d.TraceID, ID: g.span(), Parent: g.under(d.ID), Name: "call", Kind: trace.Client, Start: at,
		Attrs: []trace.Attr{textAttr("server.address", to)}}
	if fails {
		client.Status = trace.Error
	}
	server := trace.SpanData{TraceID: d.TraceID, ID: g.span(), Parent: g.under(client.ID), Name: "serve", Kind: trace.Server, Start: g.later(at)}
	switch {
	case g.chance(0.2): // as in Zipkin
		server.ID, server.Parent = client.ID, client.Parent
	case g.chance(0.05): // it goes on in a trace of its own, which links back
		server.TraceID, server.Parent = g.trace(), trace.SpanID{}
		server.Links = []trace.LinkData{{TraceID: client.TraceID, SpanID: client.ID}}
	}
	server.End = g.handle(to, &server, server.Start, depth+1)
	client.End = g.later(server.End)
	g.add(to, server)
	g.add(from, client)
	return client.End
}

// send sends a message that the other service handles by itself, or in a batch.
func (g *traffic) send(from, to string, d *trace.SpanData, at trace.Time, depth int) {
	attrs := []trace.Attr{textAttr("messaging.system", "bus"), textAttr("messaging.destination.name", to)}
	if g.chance(0.5) {
		attrs = append(attrs, textAttr("messaging.message.id", fmt.Sprint("m", g.ids)))
	}
	producer := g.add(from, trace.SpanData{TraceID: d.TraceID, Parent: g.under(d.ID), Name: "send", Kind: trace.Producer, Start: at, End: g.later(at), Attrs: attrs})
	if g.chance(0.4) {
		g.queued = append(g.queued, producer)
		return
	}
	consumer := trace.SpanData{TraceID: g.trace(), ID: g.span(), Name: "process", Kind: trace.Consumer, Start: g.later(producer.End), Attrs: attrs}
	if g.chance(0.3) {
		consumer.TraceID, consumer.Parent = d.TraceID, producer.ID
	}
	if g.chance(0.6) {
		consumer.Links = []trace.LinkData{{TraceID: producer.TraceID, SpanID: producer.ID}}
	}
	consumer.End = g.handle(to, &consumer, consumer.Start, depth+1)
	g.add(to, consumer)
}

// batch reads all that was queued at once.
func (g *traffic) batch(id trace.TraceID, at trace.Time) {
	d := trace.SpanData{TraceID: id, ID: g.span(), Name: "batch", Kind: trace.Consumer, Start: at}
	for _, p := range g.queued {
		d.Links = append(d.Links, trace.LinkData{TraceID: p.TraceID, SpanID: p.ID})
	}
	g.queued = nil
	d.End = g.handle("mail", &d, at, 3)
	g.add("mail", d)
}

// writeSpans encodes spans as the request of an exporter.
func writeSpans(b *trace.Builder, spans []sent) []trace.Span {
	for i := range spans {
		s := &spans[i]
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{
			textAttr("service.name", s.service), textAttr("service.instance.id", s.service+"-1"), textAttr("host.id", "h-"+s.service[:1]),
		}})
		b.Add(&s.SpanData)
	}
	return b.Commit()
}
