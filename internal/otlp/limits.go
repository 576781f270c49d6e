package otlp

import (
	"fmt"

	"github.com/followspan/followspan/trace"
)

// Limits bound what a request may hold. Zero fields mean the defaults, which are
// far from what SDKs send. A span beyond its limits is refused alone, a request
// whole.
type Limits struct {
	// Nesting is how deep lists and maps may nest in an attribute, at most
	// [trace.MaxValueDepth]. 0: [DefaultNesting].
	Nesting int
	// Attributes of one span, those of its events and links included. 0: [DefaultAttributes].
	Attributes int
	// Events of one span, and likewise its links. 0: [DefaultEvents].
	Events int
	// Elements are the attributes, events and links of a whole request: a byte or two
	// on the wire may each take fifty in memory. 0: [DefaultElements].
	Elements int
	// Objects of a request in JSON, which pdata decodes: "{}," takes up to 600 bytes
	// in memory. 0: [DefaultObjects].
	Objects int
}

// Defaults of Limits. An SDK with its own default limits puts at most 33,000
// attributes and 128 events and links into a span.
const (
	DefaultNesting    = trace.MaxValueDepth
	DefaultAttributes = 1 << 16
	DefaultEvents     = 1 << 14
	DefaultElements   = 1 << 22
	DefaultObjects    = 1 << 21 // 64 MiB of usual spans have 1.6 million
)

func (l Limits) withDefaults() Limits {
	l.Nesting = min(or(l.Nesting, DefaultNesting), trace.MaxValueDepth)
	l.Attributes = or(l.Attributes, DefaultAttributes)
	l.Events = or(l.Events, DefaultEvents)
	l.Elements = or(l.Elements, DefaultElements)
	l.Objects = or(l.Objects, DefaultObjects)
	return l
}

func or(limit, fallback int) int {
	if limit == 0 {
		return fallback
	}
	return limit
}

func (l Limits) tooDeep() *Error {
	return refuse(TooDeep, fmt.Sprintf("lists and maps may nest %d deep", l.Nesting))
}

func (l Limits) tooMany() *Error {
	return refuse(TooMany, fmt.Sprintf("a request may have %d attributes, events and links: send smaller batches", l.Elements))
}
