package trace

import (
	"slices"
	"time"
)

// HostResolution is how far timestamps of two processes on one host must differ
// to order them: both read the same clock, but not with the same care.
const HostResolution = time.Millisecond

// Precedence is what is known of two events.
type Precedence uint8

const (
	OrderUnknown Precedence = iota // no rule orders them
	Before                         // the first happened before the second
	NotBefore                      // the second happened before the first
)

// Basis is the rule that ordered two events.
type Basis uint8

const (
	NoBasis     Basis = iota
	ByProcess         // timestamps of one process
	ByHost            // timestamps of two processes on one host
	ByCausality       // a chain of calls, messages and links, with the timestamps of the processes between
	ByClocks          // timestamps of different hosts, whatever their offset may be
)

var basisNames = [...]string{"unknown", "one process", "one host", "causality", "different clocks"}

// String returns the words that reports use.
func (b Basis) String() string { return basisNames[b] }

// Moment is the start or the end of a span.
type Moment struct{ e uint32 }

// StartOf is the moment at which a span started, EndOf that at which it ended.
func StartOf(n Node) Moment { return Moment{uint32(n) << 1} }
func EndOf(n Node) Moment   { return Moment{uint32(n)<<1 | 1} }

// Node is the span of the event.
func (e Moment) Node() Node { return Node(e.e >> 1) }

// IsEnd reports whether the event is the end of its span.
func (e Moment) IsEnd() bool { return e.e&1 == 1 }

// Ordering is what is known of two events, and how.
type Ordering struct {
	Order Precedence
	By    Basis
	// Gap is the second timestamp less the first, as reported, or the nearest to it that
	// their clocks allow.
	Gap time.Duration
	// Uncertainty is how far Gap may be wrong: the resolution within a process or
	// a host, half the width of the offset's interval across hosts; negative if
	// nothing bounds it.
	Uncertainty time.Duration
}

// Contradiction is a pair of spans whose timestamps deny that one caused the
// other. Neither timestamp orders anything.
type Contradiction struct {
	Cause, Effect Node
	By            time.Duration // how much the effect seems to start too early
}

// Order is happens-before over the members of a flow: the smallest transitive
// relation with causality (a parent starts before its child, a server starts
// before its client ends, a producer starts before its consumer, a link's target
// before the linking span's end), the timestamps of one process, those of one
// host, and those of different hosts where they hold for every possible offset.
// What remains is unknown and never guessed. A span without a start or an end, or
// which ends before it starts, is ordered by causality alone.
//
// It is computed when first asked for. Not safe for concurrent use.
type Order struct {
	f      Flow
	skew   time.Duration
	ready  bool
	events map[process]*timeline
	hosts  map[string]*timeline
	tops   map[Node]Node
	wrong  map[Node]bool
	found  []Contradiction
	clocks *clocks
	reach  map[Moment]map[Moment]bool
}

// timeline is the events of one process or host in the order of their timestamps.
type timeline struct {
	events     []Moment
	times      []Time
	resolution time.Duration
}

// NewOrder returns the order of f's members. A positive skew is an upper bound
// that the user gives for the offset between any two hosts.
func NewOrder(f Flow, skew time.Duration) *Order {
	return &Order{f: f, skew: skew, reach: map[Moment]map[Moment]bool{}, tops: map[Node]Node{}}
}

// EndBeforeStart says whether a ended before b started.
func (o *Order) EndBeforeStart(a, b Node) Ordering { return o.Compare(EndOf(a), StartOf(b)) }

// StartBeforeStart says whether a started before b started.
func (o *Order) StartBeforeStart(a, b Node) Ordering { return o.Compare(StartOf(a), StartOf(b)) }

// Contradictions are the timestamps that causality denies.
func (o *Order) Contradictions() []Contradiction {
	o.prepare()
	return o.found
}

// EndToStart is how long after the end of a b started, as far as is known: the Gap of
// their order.
func (o *Order) EndToStart(a, b Node) time.Duration {
	o.prepare()
	x, y := EndOf(a), StartOf(b)
	return o.possible(x, y, o.time(y).Sub(o.time(x)))
}

// Compare says whether x happened before y.
func (o *Order) Compare(x, y Moment) Ordering {
	r := o.compare(x, y)
	r.Gap = o.possible(x, y, r.Gap)
	return r
}

func (o *Order) compare(x, y Moment) Ordering {
	o.prepare()
	r := Ordering{Gap: o.time(y).Sub(o.time(x)), Uncertainty: -1}
	if x.Node() == y.Node() && x != y {
		return r.decide(!x.IsEnd(), ByCausality)
	}
	if basis, resolution := o.sharedClock(x.Node(), y.Node()); basis != NoBasis {
		r.Uncertainty = resolution
		if r.Gap > resolution || r.Gap < -resolution {
			return r.decide(r.Gap > 0, basis)
		}
	}
	switch {
	case o.reaches(x, y):
		return r.decide(true, ByCausality)
	case o.reaches(y, x):
		return r.decide(false, ByCausality)
	}
	return o.compareClocks(x, y, r)
}

func (r Ordering) decide(before bool, by Basis) Ordering {
	r.Order, r.By = NotBefore, by
	if before {
		r.Order = Before
	}
	return r
}

func (o *Order) time(e Moment) Time {
	if e.IsEnd() {
		return o.f.Span(e.Node()).End()
	}
	return o.f.Span(e.Node()).Start()
}

// sharedClock says which clock both spans were stamped by, if it is one.
func (o *Order) sharedClock(a, b Node) (Basis, time.Duration) {
	if o.wrong[a] || o.wrong[b] {
		return NoBasis, 0
	}
	r, q := o.f.Span(a).Resource(), o.f.Span(b).Resource()
	switch {
	case o.process(a) == o.process(b):
		return ByProcess, max(r.Resolution(), q.Resolution())
	case r.Host() != "" && r.Host() == q.Host():
		return ByHost, max(HostResolution, r.Resolution(), q.Resolution())
	}
	return NoBasis, 0
}

// prepare finds the contradicted timestamps, sorts the others and bounds the
// offsets between clocks.
func (o *Order) prepare() {
	if o.ready {
		return
	}
	o.ready = true
	o.wrong = map[Node]bool{}
	for i := range o.f.Len() {
		if n := o.f.Member(i); !o.f.Span(n).timed() {
			o.wrong[n] = true
		}
	}
	for i := range o.f.Len() {
		o.contradicted(o.f.Member(i))
	}
	for _, c := range o.found {
		o.wrong[c.Cause], o.wrong[c.Effect] = true, true
	}
	o.events, o.hosts = map[process]*timeline{}, map[string]*timeline{}
	for i := range o.f.Len() {
		n := o.f.Member(i)
		if r := o.f.Span(n).Resource(); !o.wrong[n] {
			place(o.events, o.process(n), n, r.Resolution())
			if r.Host() != "" {
				place(o.hosts, r.Host(), n, max(HostResolution, r.Resolution()))
			}
		}
	}
	for _, l := range o.events {
		l.sort(o)
	}
	for _, l := range o.hosts {
		l.sort(o)
	}
	o.clocks = newClocks(o)
}

// contradicted notes the causes of n that its start precedes on a shared clock.
func (o *Order) contradicted(n Node) {
	for cause := range o.startCauses(n) {
		basis, resolution := o.sharedClock(cause, n)
		if early := o.f.Span(cause).Start().Sub(o.f.Span(n).Start()); basis != NoBasis && early > resolution {
			o.found = append(o.found, Contradiction{cause, n, early})
		}
	}
}

// startCauses yields the spans that must have started before n did.
func (o *Order) startCauses(n Node) func(func(Node) bool) {
	return func(yield func(Node) bool) {
		if p, ok := o.f.Parent(n); ok && !yield(p) {
			return
		}
		if o.f.Span(n).Kind() != Consumer {
			return
		}
		for c := range o.f.Causes(n) {
			if o.f.Span(c).Kind() == Producer && !yield(c) {
				return
			}
		}
	}
}

// awaited reports whether a client waited for its server, so that it ended after that
// had started. One that failed may have given up before; one that sends and does not
// wait shows it where both have one clock.
func (o *Order) awaited(client, server Node) bool {
	c, s := o.f.Span(client), o.f.Span(server)
	if c.Kind() != Client || s.Kind() != Server || c.Status() == Error {
		return false
	}
	basis, resolution := o.sharedClock(client, server)
	return basis == NoBasis || s.Start().Sub(c.End()) <= resolution
}

func place[K comparable](lines map[K]*timeline, key K, n Node, resolution time.Duration) {
	l := lines[key]
	if l == nil {
		l = &timeline{}
		lines[key] = l
	}
	l.resolution = max(l.resolution, resolution)
	l.events = append(l.events, StartOf(n), EndOf(n))
}

func (l *timeline) sort(o *Order) {
	slices.SortFunc(l.events, func(a, b Moment) int {
		if x, y := o.time(a), o.time(b); x != y {
			return int(min(max(x.Sub(y), -1), 1))
		}
		return int(a.e) - int(b.e)
	})
	l.times = make([]Time, len(l.events))
	for i, e := range l.events {
		l.times[i] = o.time(e)
	}
}

// after is the index of the first event that is certainly later than t.
func (l *timeline) after(t Time) int {
	i, _ := slices.BinarySearch(l.times, t.Add(l.resolution)+1)
	return i
}

// reaches reports whether x happened before y by causality and shared clocks.
func (o *Order) reaches(x, y Moment) bool {
	seen, ok := o.reach[x]
	if !ok {
		seen = o.explore(x)
		o.reach[x] = seen
	}
	return seen[y]
}

// explore walks everything that happened after x. Each timeline remembers from
// where on it has been walked, so the whole walk is linear in events and edges.
func (o *Order) explore(x Moment) map[Moment]bool {
	seen := map[Moment]bool{}
	walked := map[*timeline]int{}
	todo := []Moment{x}
	visit := func(e Moment) {
		if !seen[e] {
			seen[e] = true
			todo = append(todo, e)
		}
	}
	for len(todo) > 0 {
		e := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		o.causedBy(e, visit)
		if o.wrong[e.Node()] {
			continue
		}
		r := o.f.Span(e.Node()).Resource()
		for _, l := range []*timeline{o.events[o.process(e.Node())], o.hosts[r.Host()]} {
			if l == nil {
				continue
			}
			end, ok := walked[l]
			if !ok {
				end = len(l.events)
			}
			from := l.after(o.time(e))
			for i := from; i < end; i++ {
				visit(l.events[i])
			}
			walked[l] = min(from, end)
		}
	}
	return seen
}

// causedBy visits the events that causality puts directly after e.
func (o *Order) causedBy(e Moment, visit func(Moment)) {
	n := e.Node()
	if e.IsEnd() {
		return
	}
	visit(EndOf(n))
	for c := range o.f.Children(n) {
		visit(StartOf(c))
	}
	if p, ok := o.f.Parent(n); ok && o.awaited(p, n) {
		visit(EndOf(p))
	}
	for effect := range o.f.Effects(n) {
		if o.f.Span(n).Kind() == Producer && o.f.Span(effect).Kind() == Consumer {
			visit(StartOf(effect))
		}
		visit(EndOf(effect)) // A link may be added at any moment of the linking span.
	}
}
