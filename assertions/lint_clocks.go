package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
)

// clock says who wrote a time. The service is empty if that is not known; times with equal subjects are of the same
// spans.
type clock struct{ service, subject string }

// clocks finds out who wrote the times in one expression.
type clocks struct {
	written
	bound map[int]*lang.Expr // what closures run over and what let binds, by slot
}

func newClocks(w written) *clocks {
	c := &clocks{written: w, bound: map[int]*lang.Expr{}}
	w.root.Walk(func(e *lang.Expr) bool {
		if e.Op == lang.OpLet {
			c.bind(e, e.Args[0])
		}
		for _, a := range e.Args {
			if a.Op == lang.OpClosure {
				c.bind(a, e.Args[0])
			}
		}
		return true
	})
	return c
}

func (c *clocks) bind(holder, value *lang.Expr) {
	slot, _ := holder.Slot()
	c.bound[slot] = value
}

// sameService are the words whose spans are some of those of their first argument.
var sameService = map[string]bool{"filter": true, "find": true, "findLast": true, "first": true, "last": true, "sortBy": true, "groupBy": true,
	"values": true, "pairs": true, "under": true, "calledBy": true, "calledDirectlyBy": true}

// of says who wrote the time, or the times of the spans, that e is.
func (c *clocks) of(e *lang.Expr) clock {
	switch e.Op {
	case lang.OpSet:
		i, _ := e.Set()
		return clock{setService(c.flow.plan, i), e.Operator}
	case lang.OpOrigin:
		return clock{c.origin, e.Operator}
	case lang.OpElement, lang.OpLocal:
		return c.ofBound(e)
	case lang.OpField:
		return c.ofField(e)
	case lang.OpArith:
		if e.Args[0].Type.Base == lang.TTime {
			return c.of(e.Args[0])
		}
	case lang.OpIndex, lang.OpSlice:
		return clock{c.of(e.Args[0]).service, e.Text()}
	case lang.OpCall:
		if sameService[e.Word.Name] {
			return clock{c.of(e.Args[0]).service, e.Text()}
		}
	}
	return clock{subject: e.Text()}
}

// ofBound is the clock of a name that let bound, or of the element of a closure.
func (c *clocks) ofBound(e *lang.Expr) clock {
	slot, _ := e.Slot()
	value, bound := c.bound[slot]
	switch {
	case !bound:
		return clock{c.service, "it"} // the span that a selector is about
	case e.Op == lang.OpLocal || value.Op == lang.OpField && value.Operator == "events":
		return c.of(value)
	}
	return clock{c.of(value).service, fmt.Sprint("element of ", slot)}
}

func (c *clocks) ofField(e *lang.Expr) clock {
	of := c.of(e.Args[0])
	switch e.Operator {
	case "start", "end", "time", "events":
		return of
	case "a", "b":
		return clock{of.service, of.subject + "." + e.Operator}
	}
	return clock{subject: of.subject + "." + e.Operator}
}

// setService is the service of all spans of a set, or "".
func setService(p *plan, i int) string {
	s := p.sets[i]
	if s.selector != nil && !s.inverted {
		if service := requiredService(s.selector); service != "" {
			return service
		}
	}
	if s.base > 0 {
		return setService(p, s.base)
	}
	return ""
}

// requiredService is the one service whose spans can satisfy a selector, or "".
func requiredService(selector *lang.Expr) string {
	for _, c := range selector.Conjuncts() {
		if c.Op != lang.OpCompare || c.Operator != "==" {
			continue
		}
		field, value := c.Args[0], c.Args[1]
		if field.Op != lang.OpField {
			field, value = value, field
		}
		text, constant := value.Literal()
		if constant && field.Op == lang.OpField && field.Operator == "service" && field.Args[0].Op == lang.OpElement {
			return text.Str()
		}
	}
	return ""
}
