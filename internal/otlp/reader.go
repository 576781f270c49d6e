package otlp

import (
	"fmt"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// reader reads the fields of a protobuf message one after the other:
//
//	m := read(b)
//	for m.next() {
//		switch m.tag {
//		case spanName:
//			use(m.content)
//		default:
//			m.ignore(spanFields)
//		}
//	}
//	return m.err
type reader struct {
	rest    []byte
	tag     uint32 // field number << 3 | wire type
	content []byte // of a length-delimited field, which aliases the message
	number  uint64 // of a field of another type
	err     error
}

func read(b []byte) reader { return reader{rest: b} }

// Wire types, for tags.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// next reads one field, and returns false at the end and at an error.
func (m *reader) next() bool {
	// Nearly all fields have a tag and a length of one byte each.
	if b := m.rest; len(b) >= 2 && b[0]&0x87 == wireBytes && b[0] >= 8 && b[1] < 0x80 && len(b)-2 >= int(b[1]) {
		end := 2 + int(b[1])
		m.tag, m.content, m.rest = uint32(b[0]), b[2:end], b[end:]
		return true
	}
	return m.any()
}

// any is next for every kind of field.
func (m *reader) any() bool {
	if len(m.rest) == 0 {
		return false
	}
	field, typ, n := protowire.ConsumeTag(m.rest)
	if n < 0 {
		return m.fail(n)
	}
	b := m.rest[n:]
	switch typ {
	case protowire.BytesType:
		m.content, n = protowire.ConsumeBytes(b)
	case protowire.VarintType:
		m.number, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		m.number, n = protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		m.number = uint64(v)
	default: // a group, which OTLP never had
		n = protowire.ConsumeFieldValue(field, typ, b)
	}
	if n < 0 {
		return m.fail(n)
	}
	m.tag, m.rest = uint32(field)<<3|uint32(typ), b[n:]
	return true
}

func (m *reader) fail(code int) bool {
	m.err = malformed(protowire.ParseError(code))
	return false
}

// check ends the message if err is one.
func (m *reader) check(err error) {
	if err != nil {
		m.err, m.rest = err, nil
	}
}

// known are the fields of a kind of message, whose numbers are below 64.
type known struct {
	message string
	fields  uint64
}

func knownFields(message string, tags ...uint32) known {
	k := known{message: message}
	for _, tag := range tags {
		k.fields |= 1 << (tag >> 3)
	}
	return k
}

// ignore passes over a field that is none of the known. If it is one after all, its
// wire type is not what OTLP says: then this is no OTLP.
func (m *reader) ignore(k known) {
	if n := m.tag >> 3; n < 64 && k.fields>>n&1 == 1 {
		m.check(malformed(fmt.Errorf("field %d of a %s has wire type %d", n, k.message, m.tag&7)))
	}
}

// alias is b as a string, without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
