package recording

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/followspan/followspan/trace"
)

// attributes reads a list of OTLP's keys and values.
func (c *cursor) attributes(to []trace.Attr, depth int) []trace.Attr {
	if !c.enter('[', "a list of attributes") {
		return to
	}
	for c.more() {
		var a trace.Attr
		if !c.enter('{', "an attribute") {
			continue
		}
		a.Value = trace.EmptyValue()
		for c.more() {
			switch c.key() {
			case "key":
				a.Key = c.str()
			case "value":
				a.Value = c.value(depth)
			default:
				c.skip()
			}
		}
		to = grow(c, to, a)
	}
	return to
}

// mayNest fails where lists and maps nest deeper than the model keeps. Depth is how deep
// they may still nest.
func (c *cursor) mayNest(depth int) bool {
	if depth == 0 {
		c.fail(c.i, fmt.Errorf("lists and maps nest deeper than %d", trace.MaxValueDepth))
	}
	return depth > 0
}

// value reads an AnyValue, in which lists and maps nest no deeper than depth.
func (c *cursor) value(depth int) trace.Value {
	v := trace.EmptyValue()
	if !c.enter('{', "an attribute's value, such as {\"stringValue\": …}") {
		return v
	}
	for c.more() {
		name := c.key()
		if c.next() == 'n' {
			c.skip()
			continue
		}
		switch name {
		case "stringValue", "string_value":
			v = trace.StringValue(c.str())
		case "boolValue", "bool_value":
			v = trace.BoolValue(c.boolean())
		case "intValue", "int_value":
			v = trace.IntValue(c.integer())
		case "doubleValue", "double_value":
			v = trace.DoubleValue(c.float())
		case "bytesValue", "bytes_value":
			v = c.bytes()
		case "arrayValue", "array_value":
			v = c.list(depth)
		case "kvlistValue", "kvlist_value":
			v = c.fields(depth)
		default:
			c.skip()
		}
	}
	return v
}

// list reads an ArrayValue.
func (c *cursor) list(depth int) trace.Value {
	var elems []trace.Value
	if !c.mayNest(depth) {
		return trace.EmptyValue()
	}
	if c.enter('{', "an object with values") {
		for c.more() {
			switch {
			case c.key() != "values":
				c.skip()
			case c.enter('[', "a list of values"):
				for c.more() {
					elems = grow(c, elems, c.value(depth-1))
				}
			}
		}
	}
	return trace.ListValue(elems...)
}

// fields reads a KeyValueList.
func (c *cursor) fields(depth int) trace.Value {
	var attrs []trace.Attr
	if !c.mayNest(depth) {
		return trace.EmptyValue()
	}
	if c.enter('{', "an object with values") {
		for c.more() {
			if c.key() == "values" {
				attrs = c.attributes(attrs, depth-1)
			} else {
				c.skip()
			}
		}
	}
	return trace.MapValue(attrs...)
}

func (c *cursor) bytes() trace.Value {
	at := c.at0()
	b, err := base64.StdEncoding.DecodeString(c.str())
	if err != nil {
		c.fail(at, fmt.Errorf("bytes are no base64: %w", err))
	}
	return trace.BytesValue(b)
}

// enum reads a number, or one of the names; any other name is 0.
func (c *cursor) enum(names map[string]uint8) uint8 {
	if c.next() == '"' {
		start := c.i
		s := c.str()
		if n, ok := names[s]; ok || s == "" || s[0] < '0' || s[0] > '9' {
			return n
		}
		c.i = start
	}
	n := c.integer()
	if n < 0 || n > math.MaxUint8 {
		return 0
	}
	return uint8(n)
}

// time reads nanoseconds since 1970.
func (c *cursor) time() trace.Time { return trace.Time(c.integer()) }

// count reads a number of things that were dropped.
func (c *cursor) count() uint32 { return uint32(min(max(c.integer(), 0), math.MaxUint32)) }

func (c *cursor) traceID() trace.TraceID {
	at := c.at0()
	id, err := parseTraceID(c.str())
	if err != nil {
		c.fail(at, fmt.Errorf("trace id: %w", err))
	}
	return id
}

func (c *cursor) spanID(what string) trace.SpanID {
	at := c.at0()
	id, err := parseSpanID(c.str())
	if err != nil {
		c.fail(at, fmt.Errorf("%s: %w", what, err))
	}
	return id
}

// plain reads any JSON as a value of the same type.
func (c *cursor) plain(depth int) trace.Value {
	switch c.next() {
	case '"':
		return trace.StringValue(c.text())
	case 't', 'f':
		return trace.BoolValue(c.boolean())
	case 'n':
	case '{', '[':
		if !c.mayNest(depth) {
			break
		}
		if c.next() == '{' {
			return trace.MapValue(c.plainFields(depth - 1)...)
		}
		var elems []trace.Value
		c.enter('[', "a list")
		for c.more() {
			elems = grow(c, elems, c.plain(depth-1))
		}
		return trace.ListValue(elems...)
	default:
		s := c.scalar()
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return trace.IntValue(n)
		}
		f, _ := strconv.ParseFloat(s, 64) // beyond its range it is infinite
		return trace.DoubleValue(f)
	}
	c.skip()
	return trace.EmptyValue()
}

// plainFields reads the members of an object.
func (c *cursor) plainFields(depth int) (attrs []trace.Attr) {
	if c.enter('{', "an object") {
		for c.more() {
			attrs = grow(c, attrs, trace.Attr{Key: c.key(), Value: c.plain(depth)})
		}
	}
	return attrs
}
