package lang

// Slot is where a closure or a let keeps what it binds, and what an element or a
// local reads. The span that a selector is about is in slot 0.
func (e *Expr) Slot() (int, bool) {
	switch e.Op {
	case OpClosure, OpLet, OpElement, OpLocal:
		return e.slot, true
	}
	return 0, false
}
