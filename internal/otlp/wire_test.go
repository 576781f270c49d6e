package otlp_test

import (
	"math/rand/v2"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// level is a kind of message of OTLP.
type level uint8

const (
	leaf level = iota
	requestLevel
	resourceSpans
	resource
	scopeSpans
	scope
	span
	event
	link
	status
	keyValue
	anyValue
	arrayValue
	keyValueList
)

// children are the messages within a message by field number.
var children = map[level]map[protowire.Number]level{
	requestLevel:  {1: resourceSpans},
	resourceSpans: {1: resource, 2: scopeSpans, 1000: scopeSpans},
	resource:      {1: keyValue},
	scopeSpans:    {1: scope, 2: span},
	scope:         {3: keyValue},
	span:          {9: keyValue, 11: event, 13: link, 15: status},
	event:         {3: keyValue},
	link:          {4: keyValue},
	keyValue:      {2: anyValue},
	anyValue:      {5: arrayValue, 6: keyValueList},
	arrayValue:    {1: anyValue},
	keyValueList:  {1: keyValue},
}

// field is one field of a message, as it is on the wire.
type field struct {
	number protowire.Number
	typ    protowire.Type
	head   int // length of the tag, and of the length if there is one
	bytes  []byte
}

func (f field) content() []byte { return f.bytes[f.head:] }

func cut(b []byte) (f field, rest []byte, ok bool) {
	number, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, nil, false
	}
	size := protowire.ConsumeFieldValue(number, typ, b[n:])
	if size < 0 {
		return f, nil, false
	}
	f = field{number, typ, n, b[:n+size]}
	if typ == protowire.BytesType {
		content, _ := protowire.ConsumeBytes(b[n:])
		f.head += size - len(content)
	}
	return f, b[n+size:], true
}

// traits are what is special about a request.
type traits struct {
	broken bool // not protobuf
	nests  int  // how deep lists and maps are
	group  bool // pdata reads on in the midst of a group
	joined bool // a list or map continues in another field: pdata keeps the last part alone
	entity bool // entity references, which only pdata looks at
}

func inspect(b []byte) (t traits) {
	t.inspect(b, requestLevel, 0)
	return t
}

func (t *traits) inspect(b []byte, l level, depth int) {
	t.nests = max(t.nests, depth)
	lists := 0
	for len(b) > 0 {
		f, rest, ok := cut(b)
		if !ok {
			t.broken = true
			return
		}
		b = rest
		t.group = t.group || f.typ == protowire.StartGroupType
		t.entity = t.entity || l == resource && f.number == 3
		if f.typ != protowire.BytesType {
			continue
		}
		child := children[l][f.number]
		if child == arrayValue || child == keyValueList || l == keyValue && child == anyValue {
			lists++
			t.joined = t.joined || lists > 1
		}
		if child == leaf {
			continue
		}
		inner := depth
		if child == arrayValue || child == keyValueList {
			inner++
		}
		t.inspect(f.content(), child, inner)
	}
}

// scramble rewrites a message as another sender might: fields in another order,
// messages in two parts, and fields that nobody knows.
func scramble(r *rand.Rand, b []byte, l level) []byte {
	byNumber := map[protowire.Number][][]byte{}
	var order []protowire.Number // of the fields; those of one number stay in theirs
	add := func(n protowire.Number, b []byte) {
		byNumber[n] = append(byNumber[n], b)
		order = append(order, n)
	}
	for len(b) > 0 {
		f, rest, ok := cut(b)
		if !ok {
			panic("no protobuf")
		}
		b = rest
		child := children[l][f.number]
		switch {
		case child == leaf:
			add(f.number, f.bytes)
		case slices.Contains([]level{resource, scope, status}, child):
			for _, part := range halves(r, scramble(r, f.content(), child)) {
				add(f.number, inField(f.number, part))
			}
		default:
			add(f.number, inField(f.number, scramble(r, f.content(), child)))
		}
	}
	if r.IntN(4) == 0 {
		add(900, inField(900, []byte("unknown")))
		add(901, protowire.AppendFixed32(protowire.AppendTag(nil, 901, protowire.Fixed32Type), 1))
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var out []byte
	for _, n := range order {
		out = append(out, byNumber[n][0]...)
		byNumber[n] = byNumber[n][1:]
	}
	return out
}

// halves cuts a message between two of its fields.
func halves(r *rand.Rand, b []byte) [][]byte {
	at := 0
	for rest := b; len(rest) > 0 && r.IntN(3) > 0; at = len(b) - len(rest) {
		_, rest, _ = cut(rest)
	}
	return [][]byte{b[:at], b[at:]}
}
