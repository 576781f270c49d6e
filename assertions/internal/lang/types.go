package lang

// Base is what is known of a value before anything runs.
type Base uint8

const (
	TAny Base = iota
	TNil
	TBool
	TNumber
	TString
	TDuration
	TTime
	TSpan
	TSet
	TGroups
	TList
	TMap
	TEvent
	TLink
	TPair
	TRun
	TResponse
)

// Type is the static type of an expression.
type Type struct {
	Base Base
	Elem *Type // of lists; nil is any
}

func typ(b Base) Type { return Type{Base: b} }

func listOf(elem Type) Type { return Type{Base: TList, Elem: &elem} }

var baseNames = [...]string{"a value", "nil", "true or false", "a number", "a string", "a duration", "a time", "a span",
	"a set of spans", "groups of spans", "a list", "a map", "an event", "a link", "a pair of spans", "a run", "the response"}

var pluralNames = [...]string{"values", "nils", "booleans", "numbers", "strings", "durations", "times", "spans",
	"sets of spans", "groups", "lists", "maps", "events", "links", "pairs of spans", "runs", "responses"}

// String returns the name that messages use, with its article.
func (t Type) String() string {
	if t.Base == TList && t.Elem != nil && t.Elem.Base != TAny {
		return "a list of " + pluralNames[t.Elem.Base]
	}
	return baseNames[t.Base]
}

func (t Type) elem() Type {
	switch t.Base {
	case TSet:
		return typ(TSpan)
	case TGroups:
		return typ(TSet)
	case TList:
		if t.Elem != nil {
			return *t.Elem
		}
	}
	return typ(TAny)
}

// members is the type of what in asks for: the elements, or the keys of a map.
func (t Type) members() Type {
	if t.Base == TMap {
		return typ(TString)
	}
	return t.elem()
}

// isSpans reports whether the type is a set or a single span, which is one too.
func (t Type) isSpans() bool { return t.Base == TSet || t.Base == TSpan }

// isScalar reports whether values of the type can be compared with == and mean it.
func (t Type) isScalar() bool { return t.Base >= TBool && t.Base <= TTime }

// isMany reports whether a closure can run over it.
func (t Type) isMany() bool {
	return t.isSpans() || t.Base == TList || t.Base == TGroups || t.Base == TAny
}

// either is the type of a value that is one or the other.
func either(a, b Type) Type {
	switch {
	case a.Base == b.Base:
		return a
	case a.Base == TNil:
		return b
	case b.Base == TNil:
		return a
	case a.isSpans() && b.isSpans():
		return typ(TSet)
	}
	return typ(TAny)
}
