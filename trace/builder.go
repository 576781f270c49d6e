package trace

// Builder writes spans into blocks. It is used by one goroutine at a time; the
// spans that it committed may be read by others meanwhile. The zero Builder is
// ready for use.
//
// Spans added since the last Commit form one request: Commit hands them out,
// Rollback forgets them, so that a bad request leaves nothing behind.
type Builder struct {
	b       *Block
	size    marks // of the block
	used    marks // what the block holds
	kept    marks // what of it is committed
	typical marks // what the last block held that tells how to size the next
	first   int   // rows of the first block

	resource, scope heading // of the spans that follow
	known           interner
	pending         []Span
	scratch         []byte
}

// Add appends a span to the request. It keeps nothing of s.
func (w *Builder) Add(s *SpanData) {
	w.reserve(s)
	r := &w.b.rows[w.used[rowColumn]]
	*r = row{
		trace: s.TraceID, id: s.ID, parent: s.Parent, start: s.Start, end: s.End,
		name: w.intern(s.Name), attrs: w.attrs(s.Attrs),
		resource: w.resource.find(w.b, w.addResource), scope: w.scope.find(w.b, w.addScope),
		flags: uint16(s.Flags), kind: s.Kind, status: s.Status, extra: w.extra(s),
	}
	w.pending = append(w.pending, Span{w.b, uint32(w.used[rowColumn])})
	w.used[rowColumn]++
}

// Commit returns the spans added since the last Commit or Rollback, in their
// order. The slice is the caller's; its spans may lie in several blocks.
func (w *Builder) Commit() []Span {
	out := append([]Span(nil), w.pending...)
	w.pending, w.kept = w.pending[:0], w.used
	w.resource.fresh, w.scope.fresh = w.resource.fresh[:0], w.scope.fresh[:0]
	return out
}

// commitTrimmed is Commit for a builder that is done: the spans lie in blocks
// without room for more.
func (w *Builder) commitTrimmed() []Span {
	w.leave()
	out := w.Commit()
	var from, to *Block
	for i, s := range out {
		if s.b != from {
			from, to = s.b, s.b.trimmed()
		}
		out[i].b = to
	}
	return out
}

// Rollback forgets the spans added since the last Commit.
func (w *Builder) Rollback() {
	if w.used[shapeColumn] != w.kept[shapeColumn] {
		w.known.forgetShapes() // The numbers of the new ones will be given again.
	}
	w.resource.rollback()
	w.scope.rollback()
	w.pending, w.used = w.pending[:0], w.kept
}

// reserve makes sure that the current block has room for s, or starts another.
func (w *Builder) reserve(s *SpanData) {
	need := w.need(s)
	if w.b == nil {
		if w.typical[rowColumn] == 0 {
			w.typical, w.first = ordinary, firstBlock
		}
		if w.resource.key == nil {
			w.SetResource(ResourceData{})
		}
		w.begin(s, w.first)
	} else if !w.size.fit(&w.used, &need) {
		w.learn(need)
		w.leave()
		w.begin(s, min(2*len(w.b.rows), largeBlock))
	}
}

// begin starts a block of about so many rows, and in any case with room for s.
func (w *Builder) begin(s *SpanData, rows int) {
	w.resource.reset() // The new block needs its own.
	w.scope.reset()
	w.size = w.typical.plan(rows).plus(w.need(s))
	w.b, w.used, w.kept = newBlock(w.size), nothing, nothing
	w.known.reset(len(w.b.rows))
}

// leave says that nothing will be added to the block any more.
func (w *Builder) leave() {
	w.b.used = w.used
	w.b.full.Store(uint32(w.used[rowColumn]))
}

// learn takes the block that is full as the measure for the next, unless it was
// one huge span that found no room in it.
func (w *Builder) learn(need marks) {
	full := w.size.bytes()
	if w.used[rowColumn] > 0 && (8*need.bytes() < full || 2*w.used.bytes() >= full) {
		w.typical = w.used
	}
}

// need is an upper bound of what s takes of each column.
func (w *Builder) need(s *SpanData) marks {
	n := marks{rowColumn: 1, extraColumn: 1, eventColumn: len(s.Events), linkColumn: len(s.Links), resourceColumn: 1, scopeColumn: 1}
	n[textColumn] = 3*lengthSize + len(s.Name) + len(s.StatusMessage) + len(s.TraceState)
	n.addAttrs(s.Attrs)
	for i := range s.Events {
		n[textColumn] += lengthSize + len(s.Events[i].Name)
		n.addAttrs(s.Events[i].Attrs)
	}
	for i := range s.Links {
		n[textColumn] += lengthSize + len(s.Links[i].TraceState)
		n.addAttrs(s.Links[i].Attrs)
	}
	w.resource.need(&n, w.b)
	w.scope.need(&n, w.b)
	return n
}

func (n *marks) addAttrs(attrs []Attr) {
	n[shapeColumn]++
	n[keyColumn] += len(attrs)
	n[cellColumn] += len(attrs)
	text := len(attrs) * (2*lengthSize + headSize)
	for i := range attrs {
		text += len(attrs[i].Key) + len(attrs[i].Value.text)
	}
	n[textColumn] += text
}

// extra writes what few spans have, and returns 0 if s is not one of them.
func (w *Builder) extra(s *SpanData) uint32 {
	e := extraRow{
		droppedAttrs: s.DroppedAttrs, droppedEvents: s.DroppedEvents, droppedLinks: s.DroppedLinks,
		events: uint32(w.used[eventColumn]), eventCount: uint32(len(s.Events)),
		links: uint32(w.used[linkColumn]), linkCount: uint32(len(s.Links)),
		message: w.intern(s.StatusMessage), state: w.intern(s.TraceState), flags: uint16(s.Flags >> 16),
	}
	if (e == extraRow{events: e.events, links: e.links}) {
		return 0
	}
	for i := range s.Events {
		x := &s.Events[i]
		w.b.events[w.used[eventColumn]] = eventRow{time: x.Time, name: w.intern(x.Name), attrs: w.attrs(x.Attrs), dropped: x.Dropped}
		w.used[eventColumn]++
	}
	for i := range s.Links {
		x := &s.Links[i]
		w.b.links[w.used[linkColumn]] = linkRow{
			trace: x.TraceID, id: x.SpanID, state: w.intern(x.TraceState), attrs: w.attrs(x.Attrs), flags: x.Flags, dropped: x.Dropped,
		}
		w.used[linkColumn]++
	}
	w.b.extras[w.used[extraColumn]] = e
	w.used[extraColumn]++
	return uint32(w.used[extraColumn])
}
