package trace

import (
	"encoding/binary"
	"unsafe"
)

// Rows of a builder's first block, and of the largest to which blocks grow.
const (
	firstBlock = 128
	largeBlock = 8192
)

// Builder writes spans into blocks. It is used by one goroutine at a time; the
// spans that it committed may be read by others meanwhile. The zero Builder is
// ready for use.
//
// Spans added since the last Commit form one request: Commit hands them out,
// Rollback forgets them, so that a bad request leaves nothing behind.
type Builder struct {
	b          *Block
	used       marks // what the block holds
	kept       marks // what of it is committed
	dictionary map[string]ref
	shapes     map[string]uint32
	resources  map[string]uint32
	scopes     map[string]uint32
	fresh      []freshKey // what to forget at Rollback

	resource, scope       uint32 // of the spans that follow
	resourceOf, scopeOf   *Block // the block in which these numbers hold
	resourceData          ResourceData
	scopeData             ScopeData
	pending               []Span
	scratch, valueScratch []byte
	nextRows              int
}

// freshKey is an entry of one of the builder's dictionaries since the last Commit.
type freshKey struct {
	numbers map[string]uint32 // nil for the dictionary of strings
	key     string
}

// marks are the filled lengths of a block's columns.
type marks struct {
	rows, cells, text, shapes, keys, resources, scopes, extras, events, links int
}

// SetResource says which resource reported the spans that follow.
func (w *Builder) SetResource(r ResourceData) {
	w.resourceData = ResourceData{Attrs: cloneAttrs(r.Attrs), Dropped: r.Dropped, SchemaURL: r.SchemaURL}
	w.resourceOf = nil
	w.SetScope(ScopeData{})
}

// SetScope says which instrumentation made the spans that follow.
func (w *Builder) SetScope(s ScopeData) {
	s.Attrs = cloneAttrs(s.Attrs)
	w.scopeData, w.scopeOf = s, nil
}

func cloneAttrs(attrs []Attr) []Attr { return append([]Attr(nil), attrs...) }

// Add appends a span to the request. It keeps nothing of s.
func (w *Builder) Add(s *SpanData) {
	w.reserve(w.need(s))
	r := &w.b.rows[w.used.rows]
	*r = row{
		trace: s.TraceID, id: s.ID, parent: s.Parent, start: s.Start, end: s.End,
		name: w.intern(s.Name), attrs: w.attrs(s.Attrs), resource: w.currentResource(), scope: w.currentScope(),
		flags: s.Flags, kind: s.Kind, status: s.Status, extra: w.extra(s),
	}
	w.pending = append(w.pending, Span{w.b, uint32(w.used.rows)})
	w.used.rows++
}

// Commit returns the spans added since the last Commit or Rollback, in their
// order. The slice is the caller's; its spans may lie in several blocks.
func (w *Builder) Commit() []Span {
	out := append([]Span(nil), w.pending...)
	w.pending, w.fresh, w.kept = w.pending[:0], w.fresh[:0], w.used
	return out
}

// Rollback forgets the spans added since the last Commit.
func (w *Builder) Rollback() {
	for _, f := range w.fresh {
		if f.numbers == nil {
			delete(w.dictionary, f.key)
		} else {
			delete(f.numbers, f.key)
		}
	}
	w.pending, w.fresh, w.used = w.pending[:0], w.fresh[:0], w.kept
	w.resourceOf, w.scopeOf = nil, nil
}

// need is an upper bound of what s takes of each column.
func (w *Builder) need(s *SpanData) marks {
	n := marks{rows: 1, extras: 1, events: len(s.Events), links: len(s.Links), resources: 1, scopes: 1}
	n.text = len(s.Name) + len(s.StatusMessage) + len(s.TraceState)
	n.addAttrs(s.Attrs)
	for i := range s.Events {
		n.text += len(s.Events[i].Name)
		n.addAttrs(s.Events[i].Attrs)
	}
	for i := range s.Links {
		n.text += len(s.Links[i].TraceState)
		n.addAttrs(s.Links[i].Attrs)
	}
	if w.resourceOf == nil || w.resourceOf != w.b {
		id := identify(w.resourceData.Attrs)
		n.text += len(id.service) + len(id.process) + len(id.host) + len(w.resourceData.SchemaURL)
		n.addAttrs(w.resourceData.Attrs)
	}
	if w.scopeOf == nil || w.scopeOf != w.b {
		n.addAttrs(w.scopeData.Attrs)
		n.text += len(w.scopeData.Name) + len(w.scopeData.Version) + len(w.scopeData.SchemaURL)
	}
	return n
}

func (n *marks) addAttrs(attrs []Attr) {
	n.shapes++
	n.keys += len(attrs)
	n.cells += len(attrs)
	for i := range attrs {
		n.text += len(attrs[i].Key) + len(attrs[i].Value.text) + binary.MaxVarintLen64
	}
}

// reserve makes sure that the current block has room for n, or starts another.
func (w *Builder) reserve(n marks) {
	if w.b != nil && w.used.fits(n, w.b) {
		return
	}
	if w.b != nil && w.resourceOf == w.b {
		// The new block needs its own copy of the resource and the scope.
		w.resourceOf, w.scopeOf = nil, nil
		n = n.plus(w.need(&SpanData{}))
	}
	w.nextRows = min(max(2*w.nextRows, firstBlock), largeBlock)
	w.b = newBlock(w.nextRows, n)
	w.used, w.kept, w.fresh = marks{}, marks{}, w.fresh[:0]
	w.dictionary, w.shapes = map[string]ref{}, map[string]uint32{}
	w.resources, w.scopes = map[string]uint32{}, map[string]uint32{}
	w.resourceOf, w.scopeOf = nil, nil
}

func (m marks) plus(n marks) marks {
	return marks{m.rows + n.rows, m.cells + n.cells, m.text + n.text, m.shapes + n.shapes, m.keys + n.keys,
		m.resources + n.resources, m.scopes + n.scopes, m.extras + n.extras, m.events + n.events, m.links + n.links}
}

func (m marks) fits(n marks, b *Block) bool {
	m = m.plus(n)
	return m.rows <= len(b.rows) && m.cells <= len(b.cells) && m.text <= len(b.text) && m.shapes <= len(b.shapes) &&
		m.keys <= len(b.keys) && m.resources <= len(b.resources) && m.scopes <= len(b.scopes) &&
		m.extras <= len(b.extras) && m.events <= len(b.events) && m.links <= len(b.links)
}

// newBlock sizes the columns for ordinary spans, and in any case for n.
func newBlock(rows int, n marks) *Block {
	return &Block{
		rows:      make([]row, rows),
		cells:     make([]uint64, max(12*rows, n.cells)),
		text:      make([]byte, max(128*rows, n.text)),
		shapes:    make([]shape, max(rows/2, n.shapes)),
		keys:      make([]ref, max(2*rows, n.keys)),
		kinds:     make([]ValueKind, max(2*rows, n.keys)),
		resources: make([]resourceRow, max(rows/8, n.resources)),
		scopes:    make([]scopeRow, max(rows/8, n.scopes)),
		extras:    make([]extraRow, max(rows/2, n.extras)),
		events:    make([]eventRow, max(rows/4, n.events)),
		links:     make([]linkRow, max(rows/4, n.links)),
	}
}

// intern stores s once.
func (w *Builder) intern(s string) ref {
	if s == "" {
		return 0
	}
	if r, ok := w.dictionary[s]; ok {
		return r
	}
	off := w.used.text
	w.used.text += copy(w.b.text[off:], s)
	r := ref(off)<<32 | ref(len(s))
	key := unsafe.String(&w.b.text[off], len(s)) // the dictionary dies with its block
	w.dictionary[key] = r
	w.fresh = append(w.fresh, freshKey{key: key})
	return r
}

func (w *Builder) attrs(attrs []Attr) attrRow {
	a := attrRow{cells: uint32(w.used.cells)}
	key := w.scratch[:0]
	for i := range attrs {
		k := w.intern(attrs[i].Key)
		key = binary.LittleEndian.AppendUint64(key, uint64(k))
		key = append(key, byte(attrs[i].Value.kind))
		w.b.cells[w.used.cells] = w.cell(attrs[i].Value)
		w.used.cells++
	}
	w.scratch = key
	a.shape = w.shape(key)
	return a
}

func (w *Builder) cell(v Value) uint64 {
	switch v.kind {
	case String, Bytes:
		return uint64(w.intern(v.text))
	case List, Map:
		w.valueScratch = append(binary.AppendUvarint(w.valueScratch[:0], v.bits), v.text...)
		return uint64(w.intern(unsafe.String(&w.valueScratch[0], len(w.valueScratch))))
	}
	return v.bits
}

// shape stores a list of keys and kinds once; 9 bytes encode each.
func (w *Builder) shape(key []byte) uint32 {
	if n, ok := w.shapes[string(key)]; ok {
		return n
	}
	n := uint32(w.used.shapes)
	w.b.shapes[n] = shape{off: uint32(w.used.keys), n: uint32(len(key) / 9)}
	w.used.shapes++
	w.remember(w.shapes, key, n)
	for ; len(key) > 0; key = key[9:] {
		w.b.keys[w.used.keys] = ref(binary.LittleEndian.Uint64(key))
		w.b.kinds[w.used.keys] = ValueKind(key[8])
		w.used.keys++
	}
	return n
}

func (w *Builder) remember(numbers map[string]uint32, key []byte, n uint32) {
	k := string(key)
	numbers[k] = n
	w.fresh = append(w.fresh, freshKey{numbers, k})
}

func (w *Builder) extra(s *SpanData) uint32 {
	e := extraRow{
		droppedAttrs: s.DroppedAttrs, droppedEvents: s.DroppedEvents, droppedLinks: s.DroppedLinks,
		events: uint32(w.used.events), eventCount: uint32(len(s.Events)),
		links: uint32(w.used.links), linkCount: uint32(len(s.Links)),
		message: w.intern(s.StatusMessage), state: w.intern(s.TraceState),
	}
	if (e == extraRow{events: e.events, links: e.links}) {
		return 0
	}
	for i := range s.Events {
		x := &s.Events[i]
		w.b.events[w.used.events] = eventRow{time: x.Time, name: w.intern(x.Name), attrs: w.attrs(x.Attrs), dropped: x.Dropped}
		w.used.events++
	}
	for i := range s.Links {
		x := &s.Links[i]
		w.b.links[w.used.links] = linkRow{trace: x.TraceID, id: x.SpanID, state: w.intern(x.TraceState), attrs: w.attrs(x.Attrs), flags: x.Flags, dropped: x.Dropped}
		w.used.links++
	}
	w.b.extras[w.used.extras] = e
	w.used.extras++
	return uint32(w.used.extras)
}

func (w *Builder) currentResource() uint32 {
	if w.resourceOf == w.b {
		return w.resource
	}
	d := &w.resourceData
	key := encodeAttrs(nil, d.Attrs)
	key = appendString(binary.AppendUvarint(key, uint64(d.Dropped)), d.SchemaURL)
	n, ok := w.resources[string(key)]
	if !ok {
		id := identify(d.Attrs)
		n = uint32(w.used.resources)
		w.b.resources[n] = resourceRow{
			attrs: w.attrs(d.Attrs), dropped: d.Dropped, schema: w.intern(d.SchemaURL),
			service: w.intern(id.service), process: w.intern(id.process), host: w.intern(id.host), resolution: int64(id.resolution),
		}
		w.used.resources++
		w.remember(w.resources, key, n)
	}
	w.resource, w.resourceOf = n, w.b
	return n
}

func (w *Builder) currentScope() uint32 {
	if w.scopeOf == w.b {
		return w.scope
	}
	d := &w.scopeData
	key := appendString(appendString(encodeAttrs(nil, d.Attrs), d.Name), d.Version)
	key = appendString(binary.AppendUvarint(key, uint64(d.Dropped)), d.SchemaURL)
	n, ok := w.scopes[string(key)]
	if !ok {
		n = uint32(w.used.scopes)
		w.b.scopes[n] = scopeRow{attrs: w.attrs(d.Attrs), name: w.intern(d.Name), version: w.intern(d.Version), schema: w.intern(d.SchemaURL), dropped: d.Dropped}
		w.used.scopes++
		w.remember(w.scopes, key, n)
	}
	w.scope, w.scopeOf = n, w.b
	return n
}

func encodeAttrs(b []byte, attrs []Attr) []byte {
	b = binary.AppendUvarint(b, uint64(len(attrs)))
	for i := range attrs {
		b = appendString(b, attrs[i].Key)
		v := attrs[i].Value
		b = appendString(binary.AppendUvarint(append(b, byte(v.kind)), v.bits), v.text)
	}
	return b
}
