// Package trace is the model of what a distributed system did: finished spans,
// the edges between them, and the flows that they belong to.
//
// Most readers need only [Span] and [Flow]. A [Builder] writes spans into
// pointer-free blocks; a [Graph] numbers everything that was received and joins
// it with edges; a [Flow] is a frozen prefix of the graph: a small value that may
// be read from many goroutines while the graph goes on growing.
//
// The package computes nothing from the present: it has no clock. Times are those
// that services reported, or the receive times that the caller passed in.
package trace
