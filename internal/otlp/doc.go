// Package otlp translates between OTLP requests and blocks of spans.
//
// A [Decoder] writes requests into a [trace.Builder]; [Encode] and [Append] go the
// way back. Nothing is lost on either way: every field, kind of value, duplicate
// key and dropped count of OTLP 1.x is kept. The exceptions are entity references
// of resources, which are still in development, and what lies deeper in a value
// than [trace.MaxValueDepth], which becomes an empty value.
//
// Any bytes may be decoded: nothing panics, and nesting is checked before the
// first recursive decoder sees a byte.
package otlp
