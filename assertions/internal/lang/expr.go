package lang

// Op says what an expression does with its arguments.
type Op uint8

const (
	OpLiteral Op = iota
	OpParam      // a named constant
	OpElement    // the span that a selector is about, or the element of a closure
	OpLocal      // what let bound
	OpSet        // a declared set, or spans
	OpOrigin
	OpResponse
	OpRuns
	OpField // a field of a span, event, link, pair or run
	OpAttr  // an attribute
	OpIndex
	OpSlice
	OpCall    // a word of the vocabulary
	OpClosure // what a word runs over each element
	OpAnd
	OpOr
	OpNot
	OpCompare // == != < <= > >=
	OpMatch   // in contains startsWith endsWith matches
	OpArith   // + - * / % **
	OpElse    // ??
	OpIf      // ?:
	OpLet
	OpList
)

// Expr is a part of a compiled expression, and the whole of it. It is immutable.
type Expr struct {
	Op       Op
	Operator string // of comparisons, matches and arithmetic; the name of fields, sets, params and locals
	Word     *Word  // of calls
	Type     Type
	Args     []*Expr
	// From and To are where it stands in the source, in bytes.
	From, To int
	// AtFrom and AtTo are the place of its name or operator, under which its value
	// belongs.
	AtFrom, AtTo int

	text  string // of the source between From and To
	eval  func(f *Frame, e *Expr) Value
	lit   Value
	slot  int      // closures and let: where the element is kept; OpElement, OpLocal: what to read
	index int      // sets: which; calls with a tally: which, from 1
	keys  []string // attributes: the key and its aliases
	field *field
	aux   any
	// service is what a span must be of to count, for calls with a tally.
	service string
	// Of the root of a program:
	slots   int
	program *Program
}

// Program is what a whole expression needs and reads.
type Program struct {
	Text string
	Root *Expr
	// Sets are the declared sets that it reads, by index, in order.
	Sets []int
	// ReadsEdges: it must be asked again when an edge appeared though no set changed.
	ReadsEdges bool
	// Tallies is how many closures remember what they said of members.
	Tallies int
	// ReadsResponse: it must be asked again when the response is known.
	ReadsResponse bool
}

// value evaluates a part of a running expression.
func (e *Expr) value(f *Frame) Value { return e.eval(f, e) }

// Program returns what the whole expression needs; nil for parts of one.
func (e *Expr) Program() *Program { return e.program }

// Text returns the part of the source that e is.
func (e *Expr) Text() string { return e.text }

// Key returns the attribute that e reads, or "".
func (e *Expr) Key() string {
	if e.Op == OpAttr && len(e.keys) > 0 {
		return e.keys[0]
	}
	return ""
}

// Set returns the index of the declared set that e names.
func (e *Expr) Set() (int, bool) { return e.index, e.Op == OpSet }

// Literal returns the constant that e is.
func (e *Expr) Literal() (Value, bool) { return e.lit, e.Op == OpLiteral || e.Op == OpParam }

// Conjuncts are the parts of e that all must hold: the operands of its "and"s, or
// e alone.
func (e *Expr) Conjuncts() []*Expr {
	if e.Op != OpAnd {
		return []*Expr{e}
	}
	return append(e.Args[0].Conjuncts(), e.Args[1].Conjuncts()...)
}

// Walk calls visit for e and its parts, the outer before the inner, and does not
// enter parts for which visit returns false.
func (e *Expr) Walk(visit func(*Expr) bool) {
	if !visit(e) {
		return
	}
	for _, a := range e.Args {
		a.Walk(visit)
	}
}
