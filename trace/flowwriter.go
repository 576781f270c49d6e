package trace

import (
	"iter"
	"sync/atomic"
)

// OpenFlow starts a flow without members. Like every writing method it is for
// the graph's writer.
func (g *Graph) OpenFlow(r FlowRecord) *FlowWriter {
	g.flows++
	r.number = g.flows
	return &FlowWriter{g: g, record: &r}
}

// FlowWriter appends members to a flow.
type FlowWriter struct {
	g       *Graph
	record  *FlowRecord
	members []Node
}

// Join makes n a member, and reports false if it is one already. Of several rules that
// join a member the first counts, in the order of the constants.
func (w *FlowWriter) Join(n Node, rule Rule) bool {
	if m := w.g.memberOf(n, w.record.number, w.members); m != nil {
		if rule < m.rule() {
			m.how.Store(m.how.Load()&causedBit | uint32(rule))
		}
		return false
	}
	m, i := w.g.members.add()
	head := &w.g.nodes.at(int(n)).member
	m.flow, m.index = w.record.number, int32(len(w.members))
	how := uint32(rule)
	if w.record.HasOrigin {
		how |= causedBit
	}
	m.how.Store(how)
	m.next.Store(head.Load())
	head.Store(int32(i))
	before := cap(w.members)
	w.members = append(w.members, n)
	w.g.memberBytes += int64(cap(w.members)-before) * sizeOf[Node]()
	return true
}

// JoinedBy says which rule made n a member; NoRule if it is none.
func (w *FlowWriter) JoinedBy(n Node) Rule {
	return w.g.memberOf(n, w.record.number, w.members).ruleOrNone()
}

// Record returns what never changes about the flow.
func (w *FlowWriter) Record() *FlowRecord { return w.record }

// Len is the number of members so far.
func (w *FlowWriter) Len() int { return len(w.members) }

// Members returns the members so far, for the writer to read.
func (w *FlowWriter) Members() []Node { return w.members }

// Evict says that the members are about to be evicted: every copy of the flow says
// so from then on.
func (w *FlowWriter) Evict() { atomic.StoreUint32(&w.record.evicted, 1) }

// Leave gives up all members, for good, and yields them.
func (w *FlowWriter) Leave() iter.Seq[Node] {
	members := w.members
	w.members = nil
	w.g.memberBytes -= int64(cap(members)) * sizeOf[Node]()
	return func(yield func(Node) bool) {
		for _, n := range members {
			w.g.leave(n, w.record.number)
			if !yield(n) {
				return
			}
		}
	}
}

// leave takes n off a flow.
func (g *Graph) leave(n Node, flow uint32) {
	for at := &g.record(n).member; at.Load() != 0; {
		i := at.Load()
		m := g.members.at(int(i))
		if m.flow == flow {
			at.Store(m.next.Load())
			g.members.drop(int(i))
			return
		}
		at = &m.next
	}
}

// Freeze returns the flow as it is now. It keeps the slices of s.
func (w *FlowWriter) Freeze(s FlowState) Flow {
	return Flow{View: w.g.View(), FlowRecord: w.record, members: w.members[:len(w.members):len(w.members)], state: &s}
}

// memberOf finds the membership of n in a flow with those members; nil if it is none
// of them. A span may be in many flows, as a flow may have many members: it looks at
// as many as the one of the two has that has fewer.
func (g *Graph) memberOf(n Node, flow uint32, members []Node) *membership {
	r, found := g.record(n), false
	for i, k := r.member.Load(), 0; i != 0; k++ {
		if !found {
			if k == len(members) {
				return nil
			}
			found = members[k] == n
		}
		m := g.members.at(int(i))
		if m == nil { // Its flow was evicted, and it taken off the list, just now.
			i = r.member.Load()
			continue
		}
		if m.flow == flow && int(m.index) < len(members) {
			return m
		}
		i = m.next.Load()
	}
	return nil
}

func (m *membership) ruleOrNone() Rule {
	if m == nil {
		return NoRule
	}
	return m.rule()
}
