package lang

import "github.com/followspan/followspan/trace"

// Class is how the value of a word moves while more spans arrive.
type Class uint8

const (
	// Neither: it may become anything, so it is unknown until its sets are complete.
	Neither Class = iota
	// Up: a boolean can only become true, a number only grow.
	Up
	// Down: a boolean can only become false, a number only shrink.
	Down
	// Fixed: it follows from its arguments alone, one value from one value.
	Fixed
)

var classNames = [...]string{"neither", "up", "down", "fixed"}

// String returns the word that the documentation uses.
func (c Class) String() string { return classNames[c] }

// ArgKind is what a word takes.
type ArgKind uint8

const (
	AnyArg ArgKind = iota
	SpansArg
	ManyArg // a set, a list or groups
	ClosureArg
	NumberArg
	StringArg
	DurationArg
	PatternArg  // a constant regular expression
	ListArg     // a list of strings
	KeyedArg    // groups or a map
	NumbersArg  // a list of numbers or durations, or spans for their durations
	PropertyArg // never written: marks a word that is used without brackets, x.count
)

var argNames = [...]string{"a value", "spans", "a set or a list", "a closure such as .duration < 200ms", "a number", "a string",
	"a duration", "a regular expression", "a list of strings", "the groups of groupBy or a map such as attrs", "durations, numbers or spans", ""}

// Arg is one argument of a word.
type Arg struct {
	Name     string
	Kind     ArgKind
	Optional bool
	Many     bool // it may be given several times
}

// Word is one term of the vocabulary.
type Word struct {
	Name  string
	Group string // of the reference
	Doc   string // one sentence
	Args  []Arg
	// Result is the type of the value; see also result.
	Result Type
	Class  Class
	// Edges: it depends on edges between spans, which may resolve though no set changes.
	Edges bool
	// Whole: nothing is known of it before its set is complete, so it is not computed.
	Whole bool
	// Property: it is also written without brackets, as x.count.
	Property bool

	// run computes the value from what has arrived, and returns a doubt if more
	// spans could change it. The class says how.
	run func(f *Frame, e *Expr) (Value, *Doubt)
	// result is the type, where it depends on the arguments.
	result func(e *Expr) Type
}

// Words is the vocabulary in the order of the reference.
var Words []*Word

var wordByName map[string]*Word

// setProperties are the words that may follow a set without brackets.
var setProperties []string

func init() {
	for _, group := range [][]*Word{relationWords, arrowWords, orderWords, timeWords, valueWords, setWords, listWords, textWords} {
		Words = append(Words, group...)
	}
	wordByName = make(map[string]*Word, len(Words))
	for _, w := range Words {
		wordByName[w.Name] = w
		if w.Property {
			setProperties = append(setProperties, w.Name)
		}
	}
}

// WordNamed returns the word with this name, or nil.
func WordNamed(name string) *Word { return wordByName[name] }

// evalCall computes a word and lets its class say what of it is final.
func evalCall(f *Frame, e *Expr) Value {
	if e.Word.Whole && f.Open && e.Args[0].Op == OpSet {
		if d := f.Sets[e.Args[0].index].Doubt; d != nil && d.Why == Pending {
			return unknown(d)
		}
	}
	v, d := e.Word.run(f, e)
	if d == nil || v.kind == Unknown {
		return v
	}
	return e.Word.Class.settle(v, d)
}

// settle is the three-valued reading of a value that later spans may still move.
func (c Class) settle(v Value, d *Doubt) Value {
	switch v.kind {
	case Bool:
		if c == Up && v.num == 1 || c == Down && v.num == 0 {
			return v
		}
	case Int, Float, Duration:
		switch c {
		case Up:
			v.motion, v.ref = Rising, d
			return v
		case Down:
			v.motion, v.ref = Falling, d
			return v
		}
	case Set, List, Groups:
		if c == Up {
			return v.withDoubt(d)
		}
	}
	return unknown(d)
}

func (v Value) withDoubt(d *Doubt) Value {
	switch x := v.ref.(type) {
	case *spanSet:
		return setValue(x.nodes, worse(x.doubt, d))
	case *list:
		return listValue(x.elems, worse(x.doubt, d))
	case *groups:
		return Value{kind: Groups, ref: &groups{x.keys, x.sets, worse(x.doubt, d)}}
	}
	return v
}

// Reading arguments.

// spans is argument i as a set: the certain members, and why there may be more.
// Nothing is an empty set, one span a set of one. What is no set is an error.
func (e *Expr) spans(f *Frame, i int) ([]trace.Node, *Doubt) { return e.Args[i].nodes(f) }

// nodes evaluates e as a set.
func (e *Expr) nodes(f *Frame) ([]trace.Node, *Doubt) {
	v := e.value(f)
	switch v.kind {
	case Set:
		s := v.ref.(*spanSet)
		return s.nodes, s.doubt
	case Span:
		return []trace.Node{v.node()}, nil
	case Unknown:
		return nil, v.Doubt()
	case Missing:
		return nil, nil
	case List:
		return e.listedNodes(v.ref.(*list))
	}
	return nil, e.failure("", "%s is %s, not spans", e.text, describe(v))
}

// listedNodes reads a list of spans as a set.
func (e *Expr) listedNodes(l *list) ([]trace.Node, *Doubt) {
	out := make([]trace.Node, 0, len(l.elems))
	for _, v := range l.elems {
		switch v.kind {
		case Span:
			out = append(out, v.node())
		case Missing:
		default:
			return nil, e.failure("", "%s holds %s, not only spans", e.text, describe(v))
		}
	}
	return out, l.doubt
}

// each evaluates e as something to iterate over: its elements and why there may be more.
func (e *Expr) each(f *Frame, visit func(Value) bool) *Doubt {
	v := e.value(f)
	switch x := v.ref.(type) {
	case *spanSet:
		for _, n := range x.nodes {
			if f.step(1); !visit(spanValue(n)) {
				break
			}
		}
		return x.doubt
	case *list:
		for _, elem := range x.elems {
			if f.step(1); !visit(elem) {
				break
			}
		}
		return x.doubt
	case *groups:
		for _, s := range x.sets {
			if f.step(1); !visit(setValue(s, x.doubt)) {
				break
			}
		}
		return x.doubt
	}
	switch v.kind {
	case Span:
		visit(v)
		return nil
	case Missing:
		return nil
	case Unknown:
		return v.Doubt()
	}
	return e.failure("", "%s is %s, neither a set nor a list", e.text, describe(v))
}

// of evaluates a closure for one element.
func (e *Expr) of(f *Frame, elem Value) Value {
	f.slots[e.slot] = elem
	return e.Args[0].value(f)
}

// holds evaluates a closure as a condition for one element.
func (e *Expr) holds(f *Frame, elem Value) Value {
	v := e.Args[0].truth(e.of(f, elem))
	if v.kind == Missing {
		return no
	}
	return v
}
