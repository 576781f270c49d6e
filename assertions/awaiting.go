package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// Awaiting says for each undecided assertion that still needs a span which one,
// such as "email", or "payment (1 of 2)". An assertion that would hold if nothing
// more came needs none, nor does one that no further span is known to help.
func (in *Instance) Awaiting() []string {
	if in.released != nil || in.judged.IsZero() {
		return nil
	}
	var out []string
	in.pretend(false)
	for _, s := range in.states {
		if s.decided {
			continue
		}
		if text := in.needs(s); text != "" {
			out = append(out, text)
		}
	}
	in.pretend(in.judged.State() != trace.Closed)
	return out
}

func (in *Instance) needs(s *checkState) string {
	guard, that := in.answer(s)
	if !guard.True() || that.True() {
		return ""
	}
	if s.arrow != nil {
		if n := len(in.frame.Sets[s.target].Nodes); n < s.arrow.Count.Min {
			return s.assertion.Name
		}
		return ""
	}
	x := &explainer{Evidence: &Evidence{}, in: in, check: s, flow: in.judged, frame: in.frame, v: &Verdict{}}
	return x.wants(x.culprit(s.that))
}

// wants names what a condition finds nothing of, or too little.
func (x *explainer) wants(c *lang.Expr) string {
	found := ""
	c.Outside(func(e *lang.Expr) {
		if found != "" {
			return
		}
		switch i, declared := e.Set(); {
		case declared:
			if i != 0 && len(x.frame.Sets[i].Nodes) == 0 {
				found = e.Operator
			}
		case e.Op == lang.OpCall && e.Type.Base == lang.TSet:
			if len(e.Value(x.frame).Nodes()) == 0 {
				found = oneLine(e.Text())
			}
		case e.Op == lang.OpCall && e.Word.Name == "any":
			if e.Value(x.frame).False() {
				found = oneLine(e.Text())
			}
		}
	})
	if found != "" || c.Op != lang.OpCompare {
		return found
	}
	for i, call := range c.Args {
		limit, ok := c.Args[1-i].Literal()
		if !ok || !counts(call) {
			continue
		}
		n := call.Value(x.frame).Int()
		operator := c.Operator
		if i == 1 {
			operator = mirrored[operator]
		}
		if few, _ := asks(operator, int(n), limit.Int()); few {
			return fmt.Sprintf("%s (%d of %d)", oneLine(call.Args[0].Text()), n, limit.Int())
		}
	}
	return ""
}
