// Package assertions is the flow language: it loads flow files, checks and compiles
// them, judges flows in three values and explains what it found.
//
// Most callers need only [Load], [Suite.Open] and [Instance.Evaluate]. A Suite that
// loaded holds no typo that could surface later; an Instance judges one time that a
// flow happened and latches a verdict as soon as no later span could change it.
//
// The package is pure: no clock, no network, no files, no goroutines. Time arrives
// inside the flow that is judged. Files are named file and load for what an author
// writes, plan and desugar for what it means, evaluate and decide for verdicts,
// evidence for why.
package assertions
