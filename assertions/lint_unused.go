package assertions

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// usedSets notes the sets that the assertions of a flow read, by way of other sets too.
func (l *linter) usedSets(f *Flow) {
	visited := make([]bool, len(f.plan.sets))
	var visit func(i int)
	visit = func(i int) {
		if i < 0 || visited[i] {
			return
		}
		visited[i] = true
		s := f.plan.sets[i]
		l.used[s.at] = true
		visit(s.base)
		visitRead(s.computed, visit)
	}
	for _, k := range f.plan.checks {
		visit(k.target)
		visit(k.over)
		visitRead(k.that, visit)
		visitRead(k.when, visit)
	}
	l.usedAcross(f)
}

// visitRead calls visit for the sets that an expression reads.
func visitRead(e *lang.Expr, visit func(int)) {
	if e == nil {
		return
	}
	for _, i := range e.Program().Sets {
		visit(i)
	}
}

// usedAcross takes every word of the assertions over many runs for a set or a param if it is the name of one.
func (l *linter) usedAcross(f *Flow) {
	if f.Decl.Across == nil {
		return
	}
	for _, a := range f.Decl.Across.Expect {
		for _, word := range notIdentifier.Split(a.That.Text+" "+a.When.Text, -1) {
			l.params[word] = true
			for _, s := range f.plan.sets {
				if s.declared && s.name == word {
					l.used[s.at] = true
				}
			}
		}
	}
}

func (l *linter) unusedSets() {
	lists := [][]SetDecl{l.suite.file.Spans}
	for _, f := range l.suite.flows {
		lists = append(lists, f.Decl.Spans)
	}
	for _, sets := range lists {
		for _, s := range sets {
			if !l.used[s.Range] {
				l.warn(s.Range, "a set that nothing uses", fmt.Sprintf("no assertion reads %q", s.Name),
					"leave it out", s.Name+".exists under expect, if there must be such a span")
			}
		}
	}
}

func (l *linter) unusedParams() {
	file := l.suite.file
	inStrings := referenced(file.Source)
	for _, p := range file.Params {
		if !l.params[p.Name] && !inStrings[p.Name] {
			l.warn(p.Range, "a param that nothing uses", fmt.Sprintf("no expression names %q, and no string holds ${%s}", p.Name, p.Name), "leave it out")
		}
	}
}

// referenced are the names of all ${name} in the strings of a file.
func referenced(src *diag.Source) map[string]bool {
	names := map[string]bool{}
	root, _ := yamlfile.Parse(src, yamlfile.Limits{})
	seen := map[*yamlfile.Node]bool{}
	var visit func(n *yamlfile.Node)
	visit = func(n *yamlfile.Node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true // an alias is the very node that it stands for
		if strings.Contains(n.Value, "${") {
			for _, r := range new(loader).references(n) {
				names[r.name] = true
			}
		}
		for _, item := range n.Items {
			visit(item)
		}
		for _, p := range n.Pairs {
			visit(p.Value)
		}
	}
	visit(root)
	return names
}
