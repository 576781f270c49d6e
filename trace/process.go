package trace

import "strconv"

// process is one whose clock wrote timestamps: by its name, or, where its resource does
// not give one, by the span at the top of what it did without anything being sent.
type process struct {
	name string
	top  Node
}

// Process names the process of a span.
func (o *Order) Process(n Node) string {
	if p := o.process(n); p.name == "" {
		return "below " + strconv.Itoa(int(p.top))
	}
	return o.process(n).name
}

func (o *Order) process(n Node) process {
	if name := o.f.Span(n).Resource().Process(); name != "" {
		return process{name, None}
	}
	return process{"", o.top(n)}
}

// top is the highest span above n that is of n's process for certain.
func (o *Order) top(n Node) Node {
	at := n
	for {
		if _, known := o.tops[at]; known {
			break
		}
		p, ok := o.f.Parent(at)
		if !ok || !isLocal(o.f.Span(p), o.f.Span(at)) {
			o.tops[at] = at
			break
		}
		at = p
	}
	top := o.tops[at]
	for ; n != at; n, _ = o.f.Parent(n) {
		o.tops[n] = top
	}
	return top
}

// Flags of a span by which an SDK tells whether its parent is of another process.
const (
	knowsIfRemote = 0x100
	isRemote      = 0x200
)

// IsRemote reports whether the SDK says that the parent is of another process. Many do
// not say it.
func (s Span) IsRemote() bool { return s.Flags()&(knowsIfRemote|isRemote) == knowsIfRemote|isRemote }

// IsReceive reports whether a span tells that messages were fetched. Such spans are of
// kind Consumer, and by later conventions of kind Client
// (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#span-kind).
func (s Span) IsReceive() bool {
	if k := s.Kind(); k != Consumer && k != Client {
		return false
	}
	for _, key := range operationKeys {
		if v, ok := s.Attr(key); ok {
			return v.Kind() == String && v.Str() == "receive"
		}
	}
	return false
}

var operationKeys = Aliases("messaging.operation.type")

// isLocal reports whether a child was begun in the process of its parent: nothing was
// sent between them.
func isLocal(parent, child Span) bool {
	if !parent.Resource().Equal(child.Resource()) {
		return false
	}
	if child.Flags()&knowsIfRemote != 0 {
		return child.Flags()&isRemote == 0
	}
	switch child.Kind() {
	case Server, Consumer:
		return false
	case Client, Producer:
		return true
	}
	return parent.Kind() != Client && parent.Kind() != Producer
}
