package recording

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/followspan/followspan/trace"
)

// parseTraceID reads a trace id as OTLP JSON files hold it: hex in either case,
// 64 bits of it too, or base64, as generic converters of protobuf write bytes.
// "" is the zero id.
func parseTraceID(s string) (id trace.TraceID, err error) {
	return id, parseID(id[:], s)
}

// parseSpanID is parseTraceID for span ids.
func parseSpanID(s string) (id trace.SpanID, err error) {
	return id, parseID(id[:], s)
}

func parseID(id []byte, s string) error {
	switch n := len(strings.TrimRight(s, "=")); {
	case n == len(s) && n != base64.RawStdEncoding.EncodedLen(len(id)):
		return parseHex(id, s)
	case n == base64.RawStdEncoding.EncodedLen(len(id)):
		return parseBase64(id, s[:n])
	case len(id) == 16 && n == base64.RawStdEncoding.EncodedLen(8):
		return parseBase64(id[8:], s[:n])
	}
	return badID(id, s)
}

// parseHex reads up to two digits a byte; missing leading digits are zero.
func parseHex(id []byte, s string) error {
	if len(s) > 2*len(id) {
		return badID(id, s)
	}
	var digits [32]byte
	padded := digits[:2*len(id)]
	for i := range padded {
		padded[i] = '0'
	}
	copy(padded[len(padded)-len(s):], s)
	if _, err := hex.Decode(id, padded); err != nil {
		clear(id)
		return badID(id, s)
	}
	return nil
}

func parseBase64(id []byte, s string) error {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	if _, err := encoding.Decode(id, []byte(s)); err != nil {
		clear(id)
		return badID(id, s)
	}
	return nil
}

func badID(id []byte, s string) error {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Errorf("%q is no id: want %d hex digits", s, 2*len(id))
}
