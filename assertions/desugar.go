package assertions

import (
	"fmt"
	"strconv"
	"strings"
)

// Arrows become sets and expressions over them. The caller's side is a set: the
// declared one, or all spans of the service. The callee's side is the spans at
// which a call arrives, and of these the ones that the caller called.

// arrows compiles the lines under calls.
func (c *compiler) arrows(lines []Arrow, kind Kind) []*check {
	var out []*check
	for i := range lines {
		out = append(out, c.arrow(&lines[i], kind))
	}
	return out
}

// sequence compiles each line as an arrow that must also fit behind the lines
// before it. Where the order is broken already, later lines are not to blame, so
// exactly one line of a broken sequence says so.
func (c *compiler) sequence(lines []Arrow) []*check {
	out := c.arrows(lines, KindSequence)
	var chain []int
	for _, k := range out {
		if k.arrow.Forbidden || k.arrow.Count.Min == 0 {
			continue
		}
		before := chain
		chain = append(chain[:len(chain):len(chain)], k.target)
		if len(chain) < 2 {
			continue
		}
		k.chain = chain
		k.text += " and " + c.inOrder(chain)
		if len(before) > 1 {
			k.text = strings.TrimSuffix(k.text, c.inOrder(chain)) + "(not " + c.inOrder(before) + " or " + c.inOrder(chain) + ")"
		}
		k.that = c.generated(k.text, c.flowScope())
	}
	return out
}

func (c *compiler) inOrder(sets []int) string {
	names := make([]string, len(sets))
	for i, s := range sets {
		names[i] = c.plan.names[s]
	}
	return "inOrder(" + strings.Join(names, ", ") + ")"
}

// arrow compiles one line.
func (c *compiler) arrow(a *Arrow, kind Kind) *check {
	caller := c.caller(a.Caller.Name)
	callee := c.callee(a)
	words := map[Relation]string{Calls: "calledBy", CallsDirectly: "calledDirectlyBy", Causes: "under"}
	arguments := caller
	if len(a.Through) > 0 {
		arguments += ", [" + quotedNames(a.Through) + "]"
	}
	source := fmt.Sprintf("%s.%s(%s)", callee, words[a.Relation], arguments)
	target := c.computed(a, source)
	name := c.plan.names[target]
	text := c.arrowText(a, name, caller)
	line := oneLine(a.Range.Text())
	k := &check{
		assertion: &Assertion{Flow: c.plan.flow.Name, Name: line, Kind: kind, Text: a.Range.Text(), Range: a.Range},
		that:      c.generated(text, c.flowScope()), text: text, target: target, over: -1,
		arrow: a, caller: c.mustSet(caller), callee: c.mustSet(callee),
	}
	if !a.Forbidden { // which says by itself what it had nothing of
		k.parties = c.services(append([]Party{a.Caller, a.Callee}, a.Through...)...)
	}
	return k
}

func quotedNames(parties []Party) string {
	names := make([]string, len(parties))
	for i, p := range parties {
		names[i] = strconv.Quote(p.Name)
	}
	return strings.Join(names, ", ")
}

// services are the parties that are no declared sets.
func (c *compiler) services(parties ...Party) (out []Party) {
	for _, p := range parties {
		if i, ok := c.set(p.Name); !ok || !c.plan.sets[i].declared {
			out = append(out, p)
		}
	}
	return out
}

func (c *compiler) mustSet(name string) int {
	i, _ := c.set(name)
	return i
}

func (c *compiler) arrowText(a *Arrow, name, caller string) string {
	if a.Forbidden {
		return name + ".empty"
	}
	var parts []string
	switch n := a.Count; {
	case n.Min == n.Max:
		parts = append(parts, fmt.Sprintf("%s.count == %d", name, n.Min))
	case n.Min == 1:
		parts = append(parts, name+".exists")
	case n.Min > 1:
		parts = append(parts, fmt.Sprintf("%s.count >= %d", name, n.Min))
	}
	if n := a.Count; n.Max >= 0 && n.Min != n.Max {
		parts = append(parts, fmt.Sprintf("%s.count <= %d", name, n.Max))
	}
	if a.Within > 0 {
		measure := "callTime(it)"
		if a.Relation == Causes {
			measure = "asyncDelay(it, " + caller + ")"
		}
		limit := fmt.Sprintf("all(%s, %s <= %s)", name, measure, literal(a.Within.Nanoseconds()))
		if a.Count.Min == 0 {
			limit = "(" + name + ".empty or " + limit + ")"
		}
		parts = append(parts, limit)
	}
	if len(parts) == 0 {
		return "true" // optional, and nothing is said of it
	}
	return strings.Join(parts, " and ")
}

// literal writes a duration in the largest unit that is exact.
func literal(ns int64) string {
	for _, u := range []struct {
		ns   int64
		name string
	}{{3600e9, "h"}, {60e9, "m"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}} {
		if ns%u.ns == 0 {
			return fmt.Sprint(ns/u.ns, u.name)
		}
	}
	return fmt.Sprint(ns, "ns")
}

// caller is the set of the caller's spans.
func (c *compiler) caller(party string) string {
	if i, ok := c.set(party); ok && c.plan.sets[i].declared {
		return party
	}
	return c.serviceSet(party+" spans", fmt.Sprintf("service == %q", party))
}

// callee is the set of the spans at which the arrow's calls arrive.
func (c *compiler) callee(a *Arrow) string {
	operation := ""
	if a.Operation != "" {
		operation = fmt.Sprintf("operation(it, %q)", a.Operation)
	}
	if i, ok := c.set(a.Callee.Name); ok && c.plan.sets[i].declared {
		if operation == "" {
			return a.Callee.Name
		}
		return c.partOf(i, a.Callee.Name+" "+a.Operation, operation)
	}
	source := fmt.Sprintf("entersService(it, %q)", a.Callee.Name)
	name := a.Callee.Name + " calls"
	if operation != "" {
		source = fmt.Sprintf("entersService(it, %q, %q) and %s", a.Callee.Name, a.Operation, operation)
		name = a.Callee.Name + " " + a.Operation
	}
	return c.serviceSet(name, source)
}

// serviceSet declares a set by a selector, or finds one with the same selector.
func (c *compiler) serviceSet(name, source string) string { return c.partOf(0, name, source) }

func (c *compiler) partOf(base int, name, source string) string {
	for _, s := range c.plan.sets {
		if s.base == base && s.source == source && !s.declared && s.selector != nil {
			return s.name
		}
	}
	s := &setPlan{name: c.fresh(name), source: source, base: base, selector: c.generated(source, c.spanScope())}
	c.add(s)
	return s.name
}

// computed declares the set of an arrow's calls.
func (c *compiler) computed(a *Arrow, source string) int {
	s := &setPlan{name: a.As, source: source, computed: c.generated(source, c.flowScope()), declared: a.As != "", at: a.AsRange}
	if a.As == "" {
		s.name = c.fresh(a.Caller.Name + " to " + a.Callee.Name)
	}
	return c.add(s)
}

// only compiles the closed worlds of direct calls.
func (c *compiler) only(lines []OnlyDecl) []*check {
	var out []*check
	for i := range lines {
		line := &lines[i]
		source := fmt.Sprintf("callees(%s, [%s])", c.caller(line.Caller.Name), quotedNames(line.Callees))
		target := c.add(&setPlan{name: c.fresh("others of " + line.Caller.Name), source: source, computed: c.generated(source, c.flowScope())})
		text := c.plan.names[target] + ".empty"
		a := &Assertion{Flow: c.plan.flow.Name, Name: oneLine("only " + line.Range.Text()), Kind: KindOnly, Text: line.Range.Text(), Range: line.Range}
		out = append(out, &check{assertion: a, that: c.generated(text, c.flowScope()), text: text, target: target, over: -1,
			parties: c.services(line.Caller)})
	}
	return out
}

// meaning is the set's expression by itself.
func (s *setPlan) meaning(p *plan) string {
	if s.base == 0 || s.selector == nil {
		return oneLine(s.source)
	}
	return "(" + p.sets[s.base].meaning(p) + ") and " + oneLine(s.source)
}
