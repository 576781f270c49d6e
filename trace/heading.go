package trace

import "encoding/binary"

// heading is the resource or the scope of the spans that follow: its encoding, and
// its number in the block that it was last written to.
type heading struct {
	key    []byte
	attrs  int // how many
	of     *Block
	number uint16
	known  map[string]uint16 // numbers in the current block
	fresh  []string          // of which to forget at Rollback
}

// set replaces the encoding; encode appends it.
func (h *heading) set(attrs int, encode func([]byte) []byte) {
	// Many requests in a row come from one resource.
	old := len(h.key)
	h.key = encode(h.key)
	if string(h.key[:old]) != string(h.key[old:]) {
		h.of = nil
	}
	h.key, h.attrs = append(h.key[:0], h.key[old:]...), attrs
}

// reset forgets the numbers, for a new block.
func (h *heading) reset() {
	h.known, h.fresh, h.of = map[string]uint16{}, h.fresh[:0], nil
}

func (h *heading) rollback() {
	for _, key := range h.fresh {
		delete(h.known, key)
	}
	h.fresh, h.of = h.fresh[:0], nil
}

// find returns the number of the heading in the current block b; add writes it.
func (h *heading) find(b *Block, add func(key string) int) uint16 {
	if h.of == b {
		return h.number
	}
	n, ok := h.known[string(h.key)]
	if !ok {
		key := string(h.key)
		n = uint16(add(key))
		h.known[key] = n
		h.fresh = append(h.fresh, key)
	}
	h.number, h.of = n, b
	return n
}

// need is an upper bound of what the heading takes of each column. The names of
// service, process and host are made of its attributes.
func (h *heading) need(n *marks, b *Block) {
	if b != nil && h.of == b {
		return
	}
	n[textColumn] += 3*len(h.key) + 16*h.attrs + 64
	n[cellColumn] += h.attrs
	n[keyColumn] += h.attrs
	n[shapeColumn]++
}

// SetResource says which resource reported the spans that follow, which have no
// scope yet. It keeps nothing of r.
func (w *Builder) SetResource(r ResourceData) {
	w.resource.set(len(r.Attrs), func(key []byte) []byte {
		key = binary.AppendUvarint(appendString(key, r.SchemaURL), uint64(r.Dropped))
		return appendAttrs(key, r.Attrs)
	})
	w.SetScope(ScopeData{})
}

// SetScope says which instrumentation made the spans that follow. It keeps nothing
// of s.
func (w *Builder) SetScope(s ScopeData) {
	w.scope.set(len(s.Attrs), func(key []byte) []byte {
		key = appendString(appendString(appendString(key, s.Name), s.Version), s.SchemaURL)
		return appendAttrs(binary.AppendUvarint(key, uint64(s.Dropped)), s.Attrs)
	})
}

func (w *Builder) addResource(key string) int {
	schema, rest := cutString(key)
	dropped, rest := cutUvarint(rest)
	attrs := cutAttrs(rest)
	id := identify(attrs)
	n := w.used[resourceColumn]
	w.b.resources[n] = resourceRow{
		attrs: w.attrs(attrs), dropped: uint32(dropped), schema: w.intern(schema),
		service: w.intern(id.service), process: w.intern(id.process), host: w.intern(id.host), resolution: int64(id.resolution),
	}
	w.used[resourceColumn]++
	return n
}

func (w *Builder) addScope(key string) int {
	name, rest := cutString(key)
	version, rest := cutString(rest)
	schema, rest := cutString(rest)
	dropped, rest := cutUvarint(rest)
	n := w.used[scopeColumn]
	w.b.scopes[n] = scopeRow{
		attrs: w.attrs(cutAttrs(rest)), dropped: uint32(dropped),
		name: w.intern(name), version: w.intern(version), schema: w.intern(schema),
	}
	w.used[scopeColumn]++
	return n
}

func appendAttrs(b []byte, attrs []Attr) []byte {
	for i := range attrs {
		b = appendValue(appendString(b, attrs[i].Key), attrs[i].Value)
	}
	return b
}

// cutAttrs is the inverse of appendAttrs.
func cutAttrs(s string) (attrs []Attr) {
	for s != "" {
		var a Attr
		a.Key, s = cutString(s)
		a.Value, s = cutValue(s)
		attrs = append(attrs, a)
	}
	return attrs
}
