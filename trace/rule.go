package trace

// Rule says what joined two spans, or a span to a flow.
type Rule uint8

const (
	NoRule    Rule = iota
	ByOrigin       // the span starts the flow
	ByTrace        // same trace as the origin
	ByParent       // parent and child
	ByLink         // a span link
	ByMessage      // the same message, by system, destination and id
	ByKey          // a correlation key
	BySession      // the flow is everything that was received
)

var ruleNames = [...]string{"", "origin", "trace", "parent", "link", "message", "correlation key", "session"}

// String returns the word that reports use.
func (r Rule) String() string { return ruleNames[r] }
