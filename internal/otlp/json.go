package otlp

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/followspan/followspan/trace"
)

// maxJSON is how deep the brackets of a request may nest before anything recursive
// sees it: a map in a map takes four, the envelope around an attribute eleven.
const maxJSON = 4*trace.MaxValueDepth + 16

// cleanJSON prepares a request for pdata's decoder, which refuses null for numbers
// and booleans, stops at an empty key, and does not limit nesting: members that
// are null are left out and empty keys renamed to one that nobody knows; integers
// and base64 get the one form of those allowed that it reads. It
// returns the signal whose envelope it saw, "" for spans.
func cleanJSON(data []byte) (clean []byte, signal string, err error) {
	if brackets(data) > maxJSON {
		return nil, "", refuse(TooDeep, fmt.Sprintf("brackets may nest %d deep", maxJSON))
	}
	if !json.Valid(data) {
		var any json.RawMessage
		return nil, "", malformed(json.Unmarshal(data, &any)) // which says what is wrong
	}
	c := cleaner{in: data, out: make([]byte, 0, len(data))}
	c.run()
	return c.out, c.signal, nil
}

// brackets is how deep the brackets of data nest, JSON or not.
func brackets(data []byte) (deepest int) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case '"':
			i += quoted(data[i:]) - 1
		}
	}
	return deepest
}

// objects counts the objects of data; braces in strings are none.
func objects(data []byte) (n int) {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			n++
		case '"':
			i += quoted(data[i:]) - 1
		}
	}
	return n
}

// cleaner copies valid JSON without its white space, placing the commas anew.
type cleaner struct {
	in, out  []byte
	begun    []bool // per open bracket: whether an element was written
	afterKey bool
	signal   string
}

func (c *cleaner) run() {
	for len(c.in) > 0 {
		switch b := c.in[0]; b {
		case ' ', '\t', '\r', '\n', ',':
			c.in = c.in[1:]
		case '{', '[':
			c.element(1)
			c.begun = append(c.begun, false)
		case '}', ']':
			c.out = append(c.out, b)
			c.in = c.in[1:]
			c.begun = c.begun[:len(c.begun)-1]
		case '"':
			c.text()
		default:
			n := literal(c.in)
			c.value(integral(c.in[:n]), n)
		}
	}
}

// element copies n bytes that begin an element of the innermost bracket, or the
// value of the key before.
func (c *cleaner) element(n int) { c.value(c.in[:n], n) }

// value is element with other bytes in place of the n.
func (c *cleaner) value(text []byte, n int) {
	if top := len(c.begun) - 1; top >= 0 && !c.afterKey {
		if c.begun[top] {
			c.out = append(c.out, ',')
		}
		c.begun[top] = true
	}
	c.afterKey = false
	c.out = append(c.out, text...)
	c.in = c.in[n:]
}

// text copies a string; only a key is followed by a colon.
func (c *cleaner) text() {
	n := quoted(c.in)
	rest := trimSpace(c.in[n:])
	if len(rest) == 0 || rest[0] != ':' {
		if bytes.HasSuffix(c.out, []byte(`"bytesValue":`)) {
			c.value(standardBase64(c.in[:n]), n)
			return
		}
		c.element(n)
		return
	}
	rest = trimSpace(rest[1:])
	if rest[0] == 'n' {
		c.in = rest[len("null"):]
		return
	}
	if len(c.begun) == 1 {
		c.envelope(string(c.in[:n]))
	}
	c.element(n)
	if n == len(`""`) {
		c.out = append(c.out[:len(c.out)-1], `_"`...)
	}
	c.out = append(c.out, ':')
	c.in, c.afterKey = rest, true
}

func (c *cleaner) envelope(key string) {
	switch key {
	case `"resourceLogs"`:
		c.signal = "logs"
	case `"resourceMetrics"`:
		c.signal = "metrics"
	}
}

// trimSpace cuts the white space of JSON off the start of b.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// quoted is the length of the string at the start of b, which may be cut off.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// literal is the length of the number, boolean or null at the start of valid JSON.
func literal(b []byte) int {
	if n := bytes.IndexAny(b, " \t\r\n,]}"); n >= 0 {
		return n
	}
	return len(b)
}
