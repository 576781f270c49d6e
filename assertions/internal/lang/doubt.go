package lang

import "fmt"

// Why says what keeps a value from being known.
type Why uint8

const (
	// Pending: a span or an edge that may still arrive could change it.
	Pending Why = iota + 1
	// Failed: it cannot be evaluated.
	Failed
	// Uncertain: everything arrived, and it still cannot be known, such as the
	// order of two moments on different clocks.
	Uncertain
)

// Doubt is the reason why a value is not known.
type Doubt struct {
	Why  Why
	Text string // what is wrong or uncertain, a sentence
	Try  string // what would help, if anything
	// From and To are the place in the source; both are 0 if it is everywhere.
	From, To int
	// Exhausted: the evaluation ran out of its budget.
	Exhausted bool
}

// arriving is the doubt of everything that later spans may change.
var arriving = &Doubt{Why: Pending, Text: "more spans may arrive"}

// edgePending is the doubt of what hangs on a span that is named and has not arrived.
var edgePending = &Doubt{Why: Pending, Text: "the span at the other end has not arrived"}

func unknown(d *Doubt) Value { return Value{kind: Unknown, ref: d} }

// fail is the value of an expression that cannot be evaluated.
func (e *Expr) fail(format string, args ...any) Value { return unknown(e.failure("", format, args...)) }

// failTry is fail with a way out.
func (e *Expr) failTry(try, format string, args ...any) Value {
	return unknown(e.failure(try, format, args...))
}

func (e *Expr) failure(try, format string, args ...any) *Doubt {
	return &Doubt{Why: Failed, Text: fmt.Sprintf(format, args...), Try: try, From: e.From, To: e.To}
}

// worse returns the doubt that decides what becomes of a value with both: as long
// as something is pending nothing is decided, and an error outweighs uncertainty.
func worse(a, b *Doubt) *Doubt {
	switch {
	case a == nil:
		return b
	case b == nil || a.Why <= b.Why:
		return a
	}
	return b
}

// Arriving is the doubt of a set that more spans may join.
func Arriving() *Doubt { return arriving }
