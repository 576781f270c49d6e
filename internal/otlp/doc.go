// Package otlp translates between OTLP requests and blocks of spans.
//
// A [Decoder] writes requests into a [trace.Builder]; [Encode] and [Append] go the
// way back. Protobuf is decoded by the package itself, in one pass over the bytes;
// the JSON codec is pdata's. Nothing is lost on either way: every field, kind of
// value, duplicate key and dropped count of OTLP 1.x is kept, and so are texts that
// are not UTF-8, as the OpenTelemetry Collector keeps them. The exceptions are
// entity references of resources, which are still in development, numbers of enums
// beyond a byte, and unknown fields.
//
// Any bytes may be decoded: nothing panics, and nothing recurses deeper than the
// [Limits] say. A span with a wrong id or beyond its limits is left out and
// reported, the rest of its request is kept. What is not protobuf, or has a known
// field with another wire type, is refused whole. Fields may come in any order and
// messages in several parts, as protobuf says.
package otlp
