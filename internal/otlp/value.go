package otlp

import (
	"math"

	"github.com/followspan/followspan/trace"
)

const (
	keyValueKey      = 1<<3 | wireBytes
	keyValueValue    = 2<<3 | wireBytes
	keyValueStrindex = 3<<3 | wireVarint // of profiles
)

var keyValueFields = knownFields("KeyValue", keyValueKey, keyValueValue, keyValueStrindex)

// attribute appends the KeyValue in b.
func (d *Decoder) attribute(to *[]trace.Attr, b []byte, w *trace.ValueWriter) error {
	if d.attributes--; d.attributes < 0 {
		return fault(TooManyAttributes)
	}
	if err := d.element(); err != nil {
		return err
	}
	if key, value, ok := shortText(b); ok {
		*to = append(*to, trace.Attr{Key: key, Value: trace.StringValue(value)})
		return nil
	}
	v := anyValue{scalar: trace.EmptyValue(), w: w}
	key := ""
	m := read(b)
	for m.next() {
		switch m.tag {
		case keyValueKey:
			key = alias(m.content)
		case keyValueValue:
			m.check(d.value(&v, m.content, d.limits.Nesting))
		case keyValueStrindex:
		default:
			m.ignore(keyValueFields)
		}
	}
	if m.err != nil {
		return m.err
	}
	*to = append(*to, trace.Attr{Key: key, Value: v.finish()})
	return nil
}

// shortText reads a KeyValue of two short texts, which most are, without the
// generality of a reader.
func shortText(b []byte) (key, value string, ok bool) {
	k := short(b)
	v := short(b[len(k):])
	if len(k) == 0 || len(v) == 0 || len(k)+len(v) != len(b) {
		return "", "", false
	}
	if k[0] == keyValueValue {
		k, v = v, k // as pdata writes them
	}
	content := short(v[2:])
	if k[0] != keyValueKey || v[0] != keyValueValue || len(content) == 0 || len(content)+2 != len(v) || content[0] != valueString {
		return "", "", false
	}
	return alias(k[2:]), alias(content[2:]), true
}

// short is the field at the start of b, if it can be one of two bytes and so many
// more as the second says; else it is empty.
func short(b []byte) []byte {
	if len(b) < 2 || b[1] >= 0x80 || len(b)-2 < int(b[1]) {
		return nil
	}
	return b[:2+int(b[1])]
}

// element counts an attribute, event or link.
func (d *Decoder) element() error {
	if d.elements--; d.elements < 0 {
		return d.limits.tooMany()
	}
	return nil
}

// anyValue is an AnyValue that is being read. Of the members of its oneof the last
// counts; lists, and maps, that follow one another are one.
type anyValue struct {
	scalar trace.Value
	open   trace.ValueKind // the List or Map that is being written
	w      *trace.ValueWriter
}

func (v *anyValue) set(scalar trace.Value) {
	if v.open != trace.Missing {
		v.w.Discard()
		v.open = trace.Missing
	}
	v.scalar = scalar
}

func (v *anyValue) list(kind trace.ValueKind) {
	if v.open == kind {
		return
	}
	v.set(trace.EmptyValue())
	v.w.Open(kind)
	v.open = kind
}

func (v *anyValue) finish() trace.Value {
	if v.open != trace.Missing {
		return v.w.Close()
	}
	return v.scalar
}

const (
	valueString   = 1<<3 | wireBytes
	valueBool     = 2<<3 | wireVarint
	valueInt      = 3<<3 | wireVarint
	valueDouble   = 4<<3 | wire64
	valueArray    = 5<<3 | wireBytes
	valueMap      = 6<<3 | wireBytes
	valueBytes    = 7<<3 | wireBytes
	valueStrindex = 8<<3 | wireVarint // of profiles
)

var valueFields = knownFields("AnyValue", valueString, valueBool, valueInt, valueDouble, valueArray, valueMap, valueBytes, valueStrindex)

// value reads the AnyValue in b, in which lists and maps may nest depth deep.
func (d *Decoder) value(v *anyValue, b []byte, depth int) error {
	m := read(b)
	for m.next() {
		switch m.tag {
		case valueString:
			v.set(trace.StringValue(alias(m.content)))
		case valueBool:
			v.set(trace.BoolValue(m.number != 0))
		case valueInt:
			v.set(trace.IntValue(int64(m.number)))
		case valueDouble:
			v.set(trace.DoubleValue(math.Float64frombits(m.number)))
		case valueBytes:
			v.set(trace.BytesValue(m.content))
		case valueStrindex:
			v.set(trace.EmptyValue())
		case valueArray, valueMap:
			if depth == 0 {
				return d.limits.tooDeep()
			}
			if m.tag == valueArray {
				v.list(trace.List)
				m.check(d.elems(m.content, v.w, depth-1))
			} else {
				v.list(trace.Map)
				m.check(d.fields(m.content, v.w, depth-1))
			}
		default:
			m.ignore(valueFields)
		}
	}
	return m.err
}

const listValues = 1<<3 | wireBytes // of ArrayValue and of KeyValueList

var listFields = knownFields("list", listValues)

func (d *Decoder) elems(b []byte, w *trace.ValueWriter, depth int) error {
	m := read(b)
	for m.next() {
		if m.tag != listValues {
			m.ignore(listFields)
			continue
		}
		e := anyValue{scalar: trace.EmptyValue(), w: w}
		m.check(d.value(&e, m.content, depth))
		e.add()
	}
	return m.err
}

func (d *Decoder) fields(b []byte, w *trace.ValueWriter, depth int) error {
	m := read(b)
	for m.next() {
		if m.tag != listValues {
			m.ignore(listFields)
			continue
		}
		m.check(d.field(m.content, w, depth))
	}
	return m.err
}

// field writes one entry of a map, its key first, wherever it stands.
func (d *Decoder) field(b []byte, w *trace.ValueWriter, depth int) error {
	key := ""
	m := read(b)
	for m.next() {
		if m.tag == keyValueKey {
			key = alias(m.content)
		}
	}
	w.Key(key)
	e := anyValue{scalar: trace.EmptyValue(), w: w}
	m = read(b)
	for m.next() {
		switch m.tag {
		case keyValueKey, keyValueStrindex:
		case keyValueValue:
			m.check(d.value(&e, m.content, depth))
		default:
			m.ignore(keyValueFields)
		}
	}
	e.add()
	return m.err
}

// add makes the value an element of the list or map around it.
func (v *anyValue) add() {
	if v.open != trace.Missing {
		v.w.Close()
		return
	}
	v.w.Add(v.scalar)
}
