package lang

import (
	"math"
	"time"

	"github.com/followspan/followspan/trace"
)

// Kind is what a value is while an expression runs.
type Kind uint8

const (
	Missing Kind = iota // nothing is there: the zero Value
	Unknown             // not decided; see Doubt
	Bool
	Int
	Float
	String
	Bytes
	Duration
	Time
	Span
	Set
	List
	Groups
	Map
	Event
	Link
	Pair
	Run
)

var kindNames = [...]string{"missing", "undecided", "bool", "int", "float", "string", "bytes", "duration", "time",
	"span", "set of spans", "list", "groups", "map", "event", "link", "pair of spans", "run"}

// String returns the name that messages use.
func (k Kind) String() string { return kindNames[k] }

// Motion is how a number may still move as more spans arrive.
type Motion uint8

const (
	Settled  Motion = iota // it is final
	Rising                 // it can only grow
	Falling                // it can only shrink
	Unsteady               // it may become anything
)

func (m Motion) reversed() Motion {
	switch m {
	case Rising:
		return Falling
	case Falling:
		return Rising
	}
	return m
}

// together is the motion of a sum of two values that move like m and n.
func (m Motion) together(n Motion) Motion {
	switch {
	case m == Settled:
		return n
	case n == Settled || m == n:
		return m
	}
	return Unsteady
}

// Value is one value of an expression. It is small, is passed by value and does
// not allocate unless it holds several things.
type Value struct {
	kind   Kind
	motion Motion
	num    uint64
	str    string
	// ref is the content of containers. For Unknown, and for numbers that move, it
	// is the *Doubt that says why.
	ref any
}

// spanSet is the content of a Set: the members that are certain. More may join
// them for as long as there is a doubt.
type spanSet struct {
	nodes []trace.Node
	doubt *Doubt
}

// list is the content of a List; what is there stays, though not its position.
type list struct {
	elems []Value
	doubt *Doubt
}

// groups is the content of Groups, in the order in which their keys appeared.
type groups struct {
	keys  []Value
	sets  [][]trace.Node
	doubt *Doubt
}

// pair is two neighbours of a set.
type pair struct{ a, b trace.Node }

var (
	yes     = Value{kind: Bool, num: 1}
	no      = Value{kind: Bool}
	missing = Value{}
)

// Constructors of values.

func boolValue(b bool) Value {
	if b {
		return yes
	}
	return no
}
func intValue(i int64) Value              { return Value{kind: Int, num: uint64(i)} }
func floatValue(f float64) Value          { return Value{kind: Float, num: math.Float64bits(f)} }
func stringValue(s string) Value          { return Value{kind: String, str: s} }
func durationValue(d time.Duration) Value { return Value{kind: Duration, num: uint64(d)} }
func timeValue(t trace.Time) Value        { return Value{kind: Time, num: uint64(t)} }
func spanValue(n trace.Node) Value        { return Value{kind: Span, num: uint64(uint32(n))} }
func setValue(nodes []trace.Node, d *Doubt) Value {
	return Value{kind: Set, ref: &spanSet{nodes, d}}
}
func listValue(elems []Value, d *Doubt) Value { return Value{kind: List, ref: &list{elems, d}} }

// Kind says what v is.
func (v Value) Kind() Kind { return v.kind }

// True reports whether v is a boolean that holds.
func (v Value) True() bool { return v.kind == Bool && v.num == 1 }

// False reports whether v is a boolean that does not hold.
func (v Value) False() bool { return v.kind == Bool && v.num == 0 }

func (v Value) int() int64              { return int64(v.num) }
func (v Value) float() float64          { return math.Float64frombits(v.num) }
func (v Value) duration() time.Duration { return time.Duration(v.num) }
func (v Value) time() trace.Time        { return trace.Time(v.num) }
func (v Value) node() trace.Node        { return trace.Node(int32(uint32(v.num))) }

// Int returns the content of an Int, else 0.
func (v Value) Int() int64 {
	if v.kind == Int {
		return v.int()
	}
	return 0
}

// Duration returns the content of a Duration, else 0.
func (v Value) Duration() time.Duration {
	if v.kind == Duration {
		return v.duration()
	}
	return 0
}

// Str returns the content of a String, else "".
func (v Value) Str() string {
	if v.kind == String {
		return v.str
	}
	return ""
}

// Nodes returns the spans of a Set or a Span, else nil.
func (v Value) Nodes() []trace.Node {
	switch v.kind {
	case Set:
		return v.ref.(*spanSet).nodes
	case Span:
		return []trace.Node{v.node()}
	}
	return nil
}

// Elems returns the elements of a List, else nil. Read only.
func (v Value) Elems() []Value {
	if v.kind == List {
		return v.ref.(*list).elems
	}
	return nil
}

// Doubt returns why v is not final, or nil.
func (v Value) Doubt() *Doubt {
	switch x := v.ref.(type) {
	case *Doubt:
		return x
	case *spanSet:
		return x.doubt
	case *list:
		return x.doubt
	case *groups:
		return x.doubt
	}
	return nil
}

// growing is the doubt of a collection that may still change; of numbers their
// motion says more.
func (v Value) growing() *Doubt {
	switch v.ref.(type) {
	case *spanSet, *list, *groups:
		return v.Doubt()
	}
	return nil
}

// fromTrace converts the value of an attribute. An attribute without a value is
// missing.
func fromTrace(v trace.Value) Value {
	switch v.Kind() {
	case trace.String:
		return stringValue(v.Str())
	case trace.Bool:
		return boolValue(v.Bool())
	case trace.Int:
		return intValue(v.Int())
	case trace.Double:
		return floatValue(v.Double())
	case trace.Bytes:
		return Value{kind: Bytes, str: v.Str()}
	case trace.List:
		elems := make([]Value, 0, v.Len())
		for e := range v.Elems() {
			elems = append(elems, fromTrace(e))
		}
		return listValue(elems, nil)
	case trace.Map:
		return mapValue(nestedMap{v})
	}
	return missing
}

// True is the value of a condition that holds.
func True() Value { return yes }

// Body is the body of a response: a value if it is JSON, else a string, and
// missing if there is none.
func Body(b []byte) Value {
	if v := ParseJSON(string(b)); v.kind != Missing {
		return v
	}
	if len(b) == 0 {
		return missing
	}
	return stringValue(string(b))
}
