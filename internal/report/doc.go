// Package report turns the result of a run into what a person or a machine reads.
//
// Most callers need only [Text] and [JUnit]. [Tree] draws a bare flow, [Progress]
// is the line that a terminal shows while a run is waiting. The package only
// renders: it evaluates nothing, keeps nothing and has no clock. Whatever came from
// a span is escaped before it is written, so that no attribute can steer a terminal.
package report
