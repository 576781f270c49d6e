// Package lang is the expression layer of flow files: what stands in one
// expression, what it means for spans that have arrived and for those that have
// not, and what to say when it is wrong.
//
// Most callers need only [Compile], which checks a source text against a [Scope],
// and [Expr.Value], which evaluates it in a [Frame]. The syntax is that of
// github.com/expr-lang/expr and its parser reads it. The evaluation is this
// package's own, because every value here has three answers: it is known, or it
// is missing, or it is not decided yet; and because of errors that must name their
// place, budgets that must hold, and selectors that must not allocate.
//
// An [Expr] is immutable and may be shared between goroutines; a Frame may not.
// Nothing here has side effects, reads a clock or starts a goroutine.
package lang
