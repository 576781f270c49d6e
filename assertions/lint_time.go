package assertions

import (
	"fmt"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/internal/diag"
)

// times warns where the raw times of two services are compared or subtracted: their clocks may be apart, and only
// words such as before know by how much.
func (l *linter) times(w written, e *lang.Expr, c *clocks) {
	if len(e.Args) != 2 || e.Args[0].Type.Base != lang.TTime || e.Args[1].Type.Base != lang.TTime {
		return
	}
	a, b := c.of(e.Args[0]), c.of(e.Args[1])
	if a.subject == b.subject || a.service != "" && a.service == b.service {
		return
	}
	d := diag.Diagnostic{Severity: diag.Warning, What: "times that may be of two clocks", Range: w.at(e), Label: "nothing says that one service wrote both",
		Notes: []string{"Clocks of two services may be apart. before, after, followedBy and precededBy allow for that; start and end are raw."}, Try: clockSafe(e)}
	if a.service != "" && b.service != "" {
		d.What, d.Label = "times of two clocks", fmt.Sprintf("the clock of %s wrote one, that of %s the other", a.service, b.service)
	}
	l.found = append(l.found, d)
}

// clockSafe is the comparison in words that know about clocks, if it is one that has such words.
func clockSafe(e *lang.Expr) []string {
	early, late := e.Args[0], e.Args[1]
	switch e.Operator {
	case ">", ">=", "-":
		early, late = late, early
	case "<", "<=":
	default:
		return nil
	}
	a, b := spansOf(early, "end"), spansOf(late, "start")
	switch {
	case a == "" || b == "":
		return nil
	case e.Op == lang.OpArith:
		return []string{fmt.Sprintf("%s.followedBy(%s, D), if D is the most that it may be", a, b)}
	}
	return []string{fmt.Sprintf("%s.before(%s)", a, b)}
}

// spansOf is how the spans are written whose field this is, or "".
func spansOf(e *lang.Expr, field string) string {
	if e.Op != lang.OpField || e.Operator != field {
		return ""
	}
	switch of := e.Args[0]; of.Op {
	case lang.OpSet, lang.OpOrigin, lang.OpLocal, lang.OpElement:
		return of.Operator
	}
	return ""
}
