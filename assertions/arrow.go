package assertions

import (
	"time"

	"github.com/followspan/followspan/internal/diag"
)

// Relation is what an arrow says about caller and callee.
type Relation uint8

// The relations, and how they are written.
const (
	RelationUnknown Relation = iota
	Calls                    // ->, at any depth
	CallsDirectly            // =>
	Causes                   // ~>, over links, messages and other traces too
)

// String returns the arrow.
func (r Relation) String() string {
	switch r {
	case Calls:
		return "->"
	case CallsDirectly:
		return "=>"
	case Causes:
		return "~>"
	}
	return "unknown"
}

// Arrow is one line under calls or sequence.
type Arrow struct {
	Range    diag.Range // of the line, without comment
	Caller   Party
	Callee   Party
	Relation Relation
	// Forbidden: the line says what must not happen. Such an arrow has neither Within, Count nor As.
	Forbidden  bool
	ArrowRange diag.Range

	Operation      string // empty if any
	OperationRange diag.Range
	Within         time.Duration // 0 if not given
	WithinRange    diag.Range
	// Count is how often; its Range is zero, and Min is 1, if the line does not say.
	// "optional" is any number, and so is "at most N" up to N.
	Count Count
	// Through are the services that may stand in between, though the call is direct.
	Through      []Party
	ThroughRange diag.Range
	As           string // the set that the callee's spans become; empty if not given
	AsRange      diag.Range
}

// Party is one end of an arrow: a declared set, or else a service.
type Party struct {
	Name  string
	Range diag.Range
}

// OnlyDecl is one line under only: the callees that a caller may have.
type OnlyDecl struct {
	Range   diag.Range
	Caller  Party
	Callees []Party
}
