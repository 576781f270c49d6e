package trace

import (
	"encoding/base64"
	"iter"
	"math"
	"strconv"
	"strings"
)

// ValueKind is the type of an attribute's value.
type ValueKind uint8

const (
	Missing ValueKind = iota // no such attribute: the zero Value
	Empty                    // the attribute is there and holds no value
	String
	Bool
	Int
	Double
	Bytes
	List
	Map
)

var valueKindNames = [...]string{"missing", "empty", "string", "bool", "int", "float", "bytes", "list", "map"}

// String returns the name that messages use.
func (k ValueKind) String() string { return valueKindNames[k] }

// MaxValueDepth is how deep lists and maps may nest in a value, so that no sender
// can exhaust a reader's stack. What lies deeper becomes an Empty value.
const MaxValueDepth = 100

// Value is the typed value of an attribute. It is immutable and holds no
// pointers but the one of its text; a Value of a [Span] pins that span's block.
// Two Values are == exactly if kind and content are the same to the bit.
type Value struct {
	kind ValueKind
	bits uint64 // Bool, Int and Double: the content. List and Map: the number of elements, depth << 32.
	text string // String and Bytes: the content. List and Map: the encoded elements.
}

// Attr is one key with its value.
type Attr struct {
	Key   string
	Value Value
}

// EmptyValue is an attribute that is present without a value.
func EmptyValue() Value { return Value{kind: Empty} }

// StringValue returns a Value that holds s.
func StringValue(s string) Value { return Value{kind: String, text: s} }

// BytesValue returns a Value that holds a copy of b.
func BytesValue(b []byte) Value { return Value{kind: Bytes, text: string(b)} }

// IntValue returns a Value that holds i.
func IntValue(i int64) Value { return Value{kind: Int, bits: uint64(i)} }

// DoubleValue returns a Value that holds f.
func DoubleValue(f float64) Value { return Value{kind: Double, bits: math.Float64bits(f)} }

// BoolValue returns a Value that holds b.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, bits: 1}
	}
	return Value{kind: Bool}
}

func (v Value) Kind() ValueKind { return v.kind }

// Clone returns a copy that pins no block.
func (v Value) Clone() Value {
	v.text = strings.Clone(v.text)
	return v
}

// IsMissing reports whether there is no such attribute at all.
func (v Value) IsMissing() bool { return v.kind == Missing }

// Str returns the content of a String or Bytes value, else "".
func (v Value) Str() string {
	if v.kind == String || v.kind == Bytes {
		return v.text
	}
	return ""
}

// Int returns the content of an Int value, else 0.
func (v Value) Int() int64 {
	if v.kind == Int {
		return int64(v.bits)
	}
	return 0
}

// Double returns the content of a Double value, else 0.
func (v Value) Double() float64 {
	if v.kind == Double {
		return math.Float64frombits(v.bits)
	}
	return 0
}

// Bool returns the content of a Bool value, else false.
func (v Value) Bool() bool { return v.kind == Bool && v.bits == 1 }

// Len returns the number of elements of a List or Map value, else 0.
func (v Value) Len() int {
	if v.kind == List || v.kind == Map {
		return int(uint32(v.bits))
	}
	return 0
}

// Elems yields the elements of a List in order, and nothing for other kinds.
func (v Value) Elems() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind != List {
			return
		}
		for rest := v.text; rest != ""; {
			var e Value
			e, rest = cutValue(rest)
			if !yield(e) {
				return
			}
		}
	}
}

// Fields yields the keys and values of a Map in order, and nothing for other kinds.
func (v Value) Fields() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.kind != Map {
			return
		}
		for rest := v.text; rest != ""; {
			var key string
			var e Value
			key, rest = cutString(rest)
			e, rest = cutValue(rest)
			if !yield(key, e) {
				return
			}
		}
	}
}

// Field returns the value of a Map's key, the first if it stands there twice.
func (v Value) Field(key string) (Value, bool) {
	for k, e := range v.Fields() {
		if k == key {
			return e, true
		}
	}
	return Value{}, false
}

// String formats v for people: strings quoted, lists and maps as in JSON, bytes
// in base64, a missing value as "missing".
func (v Value) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v Value) write(b *strings.Builder) {
	switch v.kind {
	case Missing, Empty:
		b.WriteString(v.kind.String())
	case String:
		b.WriteString(strconv.Quote(v.text))
	case Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case Int:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	case Double:
		b.WriteString(formatDouble(v.Double()))
	case Bytes:
		b.WriteString("base64:" + base64.StdEncoding.EncodeToString([]byte(v.text)))
	case List:
		sep := "["
		for e := range v.Elems() {
			b.WriteString(sep)
			e.write(b)
			sep = ", "
		}
		closeWith(b, sep, "[", "]")
	case Map:
		sep := "{"
		for k, e := range v.Fields() {
			b.WriteString(sep + strconv.Quote(k) + ": ")
			e.write(b)
			sep = ", "
		}
		closeWith(b, sep, "{", "}")
	}
}

func closeWith(b *strings.Builder, sep, open, end string) {
	if sep == open {
		b.WriteString(open)
	}
	b.WriteString(end)
}

// formatDouble keeps a point in whole numbers, so that 42.0 is seen to be no int.
func formatDouble(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".eInN") {
		s += ".0"
	}
	return s
}
