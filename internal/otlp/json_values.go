package otlp

import (
	"bytes"
	"math"
	"strconv"
)

// integral writes a number such as 1.0 or 1e3 as the integer that it is: the proto3
// JSON mapping allows either for an integer field. Others stay as they are.
func integral(literal []byte) []byte {
	if !bytes.ContainsAny(literal, ".eE") {
		return literal
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return literal
	}
	return strconv.AppendFloat(nil, f, 'f', -1, 64)
}

// standardBase64 brings a string in base64 into the standard form: the proto3 JSON
// mapping also allows the alphabet of URLs, and no padding.
func standardBase64(quoted []byte) []byte {
	text := bytes.ReplaceAll(bytes.Trim(quoted, `"`), []byte(`\/`), []byte("/"))
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	out := append([]byte{'"'}, text...)
	for n := len(text); n%4 != 0; n++ {
		out = append(out, '=')
	}
	return append(out, '"')
}
