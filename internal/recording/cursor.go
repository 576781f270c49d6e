package recording

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// cursor walks JSON that is known to be well-formed. The strings that it returns
// may alias what it walks. Once something has the wrong type the cursor has
// failed: every list and object ends at once, and every value is zero.
type cursor struct {
	b    []byte
	i    int
	err  error
	at   int // where it failed
	most int // attributes, events, links and elements of lists that there may be
	room int // of these, how many may still come
}

// fail records what is wrong at offset at, if nothing was before.
func (c *cursor) fail(at int, err error) {
	if c.err == nil {
		c.err, c.at = err, at
	}
}

// grow appends what was read to a list, unless there are too many of its kind.
func grow[T any](c *cursor, to []T, element T) []T {
	if c.room--; c.room < 0 {
		c.fail(c.i, tooMany(c.most))
		return to
	}
	return append(to, element)
}

// next is the first byte of the next value.
func (c *cursor) next() byte {
	for {
		switch b := c.b[c.i]; b {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return b
		}
	}
}

// enter goes into an object or a list and reports false for null and, as a
// failure, for everything else.
func (c *cursor) enter(open byte, what string) bool {
	switch b := c.next(); {
	case c.err != nil:
		return false
	case b == open:
		c.i++
		return true
	case b != 'n':
		c.wrong(what)
	}
	c.skip()
	return false
}

func (c *cursor) wrong(want string) {
	c.fail(c.i, fmt.Errorf("want %s, got %s", want, typeName(c.next())))
}

func typeName(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// more reports whether an element or member follows, and goes out of the list or
// object if none does.
func (c *cursor) more() bool {
	if c.err != nil {
		return false
	}
	for {
		switch c.next() {
		case ',':
			c.i++
		case ']', '}':
			c.i++
			return false
		default:
			return true
		}
	}
}

// key goes to the value of the next member.
func (c *cursor) key() string {
	k := c.text()
	c.next()
	c.i++ // the colon
	return k
}

// text is the string that is next.
func (c *cursor) text() string {
	start := c.i + 1
	n := verbatim(c.b[start:])
	if c.b[start+n] == '"' {
		c.i = start + n + 1
		return alias(c.b[start : start+n])
	}
	n = quoted(c.b[c.i:])
	// The only error is a lone surrogate, which some SDKs write where they cut a
	// string; it has been replaced.
	plain, _ := jsontext.AppendUnquote(nil, c.b[c.i:c.i+n])
	c.i += n
	return string(plain)
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// quoted is the length of the string at the start of b.
func quoted(b []byte) int {
	i := 1
	for {
		i += verbatim(b[i:])
		if b[i] == '"' {
			return i + 1
		}
		i += 2 // a backslash and what it escapes
	}
}

// verbatim is the length of what stands before the first quote or backslash. It
// looks at eight bytes at once, since most strings are too short for bytes.IndexByte
// to be worth its call.
func verbatim(b []byte) int {
	n := 0
	for ; n+8 <= len(b); n += 8 {
		word := binary.LittleEndian.Uint64(b[n:])
		if found := zeros(word^'"'*everyByte) | zeros(word^'\\'*everyByte); found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

const everyByte = 0x0101010101010101

// zeros has the highest bit of the lowest byte set that is zero in word. Those of
// higher bytes may be set wrongly.
func zeros(word uint64) uint64 { return (word - everyByte) &^ word & (everyByte << 7) }

// skip goes behind the next value.
func (c *cursor) skip() {
	switch c.next() {
	case '"':
		c.i += quoted(c.b[c.i:])
	case '{', '[':
		c.i += nested(c.b[c.i:])
	default:
		c.i += literal(c.b[c.i:])
	}
}

// nested is the length of the object or list at the start of b.
func nested(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			i += quoted(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// literal is the length of the number, boolean or null at the start of b.
func literal(b []byte) int {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
			return i
		}
	}
	return len(b)
}

// str reads a string; null is "".
func (c *cursor) str() string {
	switch c.next() {
	case '"':
		return c.text()
	case 'n':
	default:
		c.wrong("a string")
	}
	c.skip()
	return ""
}

// scalar reads a string, number or boolean as text; null is "".
func (c *cursor) scalar() string {
	switch c.next() {
	case '"':
		return c.text()
	case '{', '[':
		c.wrong("a number")
		fallthrough
	case 'n':
		c.skip()
		return ""
	}
	start := c.i
	c.skip()
	return alias(c.b[start:c.i])
}

// integer reads a number or the string of one; null and "" are 0.
func (c *cursor) integer() int64 {
	at := c.at0()
	s := c.scalar()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return n
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return int64(u)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= -1<<63 && f < 1<<63 {
		return int64(f)
	}
	c.fail(at, fmt.Errorf("%s is no integer of 64 bits", shown(s)))
	return 0
}

// float reads a number or the string of one, NaN and the infinities included.
func (c *cursor) float() float64 {
	at := c.at0()
	s := c.scalar()
	if s == "" {
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		c.fail(at, fmt.Errorf("%s is no number", shown(s)))
	}
	return f
}

// boolean reads true, false, or the string of one; null is false.
func (c *cursor) boolean() bool {
	at := c.at0()
	switch s := c.scalar(); s {
	case "true", "1":
		return true
	case "false", "", "0":
	default:
		c.fail(at, fmt.Errorf("%s is no boolean", shown(s)))
	}
	return false
}

// at0 is where the next value starts.
func (c *cursor) at0() int {
	c.next()
	return c.i
}

// shown quotes text for a message, cut where it is long.
func shown(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
