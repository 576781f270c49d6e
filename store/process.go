package store

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// RunAttribute is the resource attribute by which a process shows that its SDK
// read the environment that followspan gave it; see Settings.RunID.
const RunAttribute = "followspan.run.id"

// process is a service instance, as its requests show it.
type process struct {
	service, name string
	lag           trace.Lag
	connection    string
	newest        trace.Time    // the latest end in the request at hand; 0 is none
	oldest        trace.Time    // likewise the first end
	spans         int           // in the request at hand
	leastLag      time.Duration // the shortest of all, negative if its clock is ahead
	queue         queue
	// upto is the watermark: the latest end in any request. An SDK's queue is first
	// in, first out and its exports are never concurrent (OpenTelemetry
	// specification, trace SDK, batching processor), so everything that the process
	// ended before has been sent, or was dropped because the queue was full.
	upto     trace.Time
	at       trace.Time // when the request arrived that set upto
	started  bool       // it was started by this run, with a queue of a known size
	own      bool       // followspan itself
	doubt    string     // why upto proves nothing; "" if it does
	lossy    string     // how it shows that some of its spans were lost; "" if it does not
	strays   strays     // its spans
	unjoined int        // spans that are in no flow, the evicted ones included
	gone     goneStray  // the one that started last of its strays that were evicted
	// waiting are instances to be looked at again once upto is far enough, astray those
	// that wait for strays.
	waiting, astray watchers
}

const (
	// watermarkMargin is how far past a flow a watermark must be: an end is stamped
	// before its span is queued.
	watermarkMargin = 10 * time.Millisecond
	// mostProvenLag is the export lag beyond which a queue may have run over.
	mostProvenLag = 5 * time.Second
	// maxConnections is how many connections are told apart.
	maxConnections = 1 << 16
)

// process returns the process of a span.
func (s *Store) process(span trace.Span) *process {
	r := span.Resource()
	if r == s.lastResource && s.lastProcess != nil {
		return s.lastProcess
	}
	key := cmp.Or(r.Process(), span.Service())
	p := s.processes[key]
	if p == nil {
		p = s.newProcess(span)
		s.processes[p.name] = p
		s.booked += int64(len(p.service) + len(p.name))
		i, _ := slices.BinarySearchFunc(s.sorted, p, compareProcesses)
		s.sorted = slices.Insert(s.sorted, i, p)
	}
	s.lastResource, s.lastProcess = r, p
	return p
}

func compareProcesses(a, b *process) int {
	return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name))
}

func (s *Store) newProcess(span trace.Span) *process {
	r := span.Resource()
	p := &process{service: strings.Clone(span.Service()), name: strings.Clone(cmp.Or(r.Process(), span.Service())), own: s.own[idOf(span)]}
	run, _ := r.Attr(RunAttribute)
	p.started = s.settings.RunID != "" && run.Kind() == trace.String && run.Str() == s.settings.RunID
	switch {
	case s.settings.Recorded:
		p.doubt = "a recording does not tell whether it holds everything"
	case r.Process() == "":
		p.doubt = "its resource names no process; set service.instance.id"
	case !p.started:
		p.doubt = "followspan did not start it, so the size of its export queue is not known"
	}
	return p
}

// hear takes a new span of a process into account.
func (s *Store) hear(p *process, span trace.Span, at trace.Time) {
	p.lag.Observe(span.End(), at)
	if p.spans == 0 {
		s.heard = append(s.heard, p)
		p.oldest = 0
	}
	p.spans++
	if end := span.End(); end > 0 {
		p.oldest, p.newest = min(cmp.Or(p.oldest, end), end), max(p.newest, end)
		p.leastLag = min(p.leastLag, at.Sub(end))
	}
}

// mark moves the watermarks once a request was taken in whole.
func (s *Store) mark(b trace.Batch) {
	for _, p := range s.heard {
		s.connect(p, b)
		if p.doubt != "" {
			p.waiting.dismiss()
			p.astray.dismiss()
		}
		s.queued(p, b)
		if p.newest > p.upto {
			p.upto, p.at = p.newest, b.Received
			if p.doubt == "" {
				s.rouse(&p.waiting, p.upto)
			}
		}
		p.newest, p.spans = 0, 0
	}
	s.heard = s.heard[:0]
}

// connect looks for reasons why the order of a process's requests is not known.
func (s *Store) connect(p *process, b trace.Batch) {
	switch {
	case p.doubt != "" || p.own:
	case !fromSDK(b.UserAgent):
		p.doubt = "its spans do not come straight from an SDK, but from " + cmp.Or(strings.Clone(b.UserAgent), "an unnamed sender")
	case !loopback(b.Sender):
		p.doubt = "it sends from another machine, whose clock is not compared"
	case p.connection == "":
		p.connection = strings.Clone(b.Sender)
	case p.connection != b.Sender:
		p.doubt = "it sends over several connections"
	}
	switch {
	case p.lossy != "":
	case p.lag.Unknown:
		p.lossy = "the times of its spans do not tell how late they arrive, so its export queue may have run over"
	case p.lag.Most > mostProvenLag:
		p.lossy = fmt.Sprintf("its spans arrive %v late, so its export queue may have run over", p.lag.Most.Round(100*time.Millisecond))
	}
	s.share(p, b.Sender)
}

// share notes who sends over a connection: one that several processes share
// belongs to something that forwards their spans.
func (s *Store) share(p *process, connection string) {
	other := s.connections[connection]
	switch {
	case other == p:
	case other == nil && len(s.connections) < maxConnections:
		s.connections[strings.Clone(connection)] = p
	case other == nil:
		p.suspect("more connections came than followspan tells apart")
	default:
		other.suspect("it shares a connection with other processes")
		p.suspect("it shares a connection with other processes")
	}
}

func (p *process) suspect(why string) {
	if p.doubt == "" {
		p.doubt = why
	}
}

// fromSDK reports whether a sender calls itself what the OTLP exporter
// specification asks of SDKs (section "User Agent"); the Go SDK writes spaces.
func fromSDK(userAgent string) bool {
	return strings.HasPrefix(userAgent, "OTel-OTLP-Exporter-") || strings.HasPrefix(userAgent, "OTel OTLP Exporter ")
}

func loopback(hostPort string) bool {
	a, err := netip.ParseAddrPort(hostPort)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// covers says why a process's watermark does not cover an instance, "" if it does.
func (s *Store) covers(p *process, in *instance) string {
	switch {
	case p.lossy != "" && p.started:
		return p.lossy
	case p.started && s.flushed:
		return ""
	case p.doubt != "":
		return p.doubt
	case p.upto < in.ends.Add(watermarkMargin) || p.at < in.news:
		return "it has sent nothing since that ended after the flow"
	}
	return ""
}

// covered reports whether watermarks prove that all who took part have sent
// everything. Of a message that nobody has read yet they say nothing.
func (s *Store) covered(in *instance) bool {
	if s.leavesMessages(in) {
		return false
	}
	parties := 0
	for p := range s.parties(in) {
		if p.own {
			continue
		}
		if s.covers(p, in) != "" {
			if p.doubt == "" {
				in.watch(&p.waiting, in.ends.Add(watermarkMargin))
			}
			return false
		}
		if _, astray := s.straying(p, in); astray {
			s.watchStrays(p, in)
			return false
		}
		parties++
	}
	return parties > 0
}

// marks says of every process how well its silence is known. Flows of which the same
// is known share the slice: there may be many of both.
func (s *Store) marks(in *instance) []trace.Mark {
	out := s.marking[:0]
	for _, p := range s.sorted {
		if !p.own {
			m := trace.Mark{Service: p.service, Process: p.name, Doubt: s.covers(p, in)}
			if in.w.Record().HasOrigin {
				m.Stray, _ = s.straying(p, in)
			}
			out = append(out, m)
		}
	}
	s.marking = out
	defer clear(out) // They would keep blocks.
	if !slices.Equal(out, s.lastMarks) {
		s.lastMarks = slices.Clone(out)
		for i := range s.lastMarks {
			s.lastMarks[i].Stray = strings.Clone(s.lastMarks[i].Stray)
		}
	}
	return s.lastMarks
}

// suspectOrphans: a span that a process of its own ended and that is missing
// when a flow closes was lost on the way.
func (s *Store) suspectOrphans(in *instance) {
	v := s.graph.View()
	for _, e := range in.edges {
		if e.Kind != trace.WaitsForParent {
			continue
		}
		switch span := v.Span(e.Node); span.Kind() {
		case trace.Server, trace.Consumer: // the missing one is another process's
		default:
			p := s.process(span)
			p.lossy = "a span of it never arrived: the parent of " + strings.Clone(span.Name())
			if p.queue.twice {
				s.drop(in, "spans that the queue of "+p.service+" seems to have dropped: full batches came back to back, and parents are missing; raise its OTEL_BSP_MAX_QUEUE_SIZE", 1)
			}
		}
	}
}

// Flushed tells the store that every process which this run started has ended in
// good order, and that all they sent was received: what did not arrive was never
// sent. It is called before Close.
func (s *Store) Flushed() {
	s.enter()
	defer s.mu.Unlock()
	s.log(Op{Kind: OpFlushed})
	s.flushed = true
}
