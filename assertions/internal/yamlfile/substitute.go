package yamlfile

// Edit replaces the bytes from Start to End of a scalar's value by Text.
type Edit struct {
	Start, End int
	Text       string
}

// Substitute returns a copy of the scalar with its value edited. Every byte of a replacement comes from the whole of what
// it replaces, as far as [Node.At] is concerned. The edits are in order and do not overlap.
func (n *Node) Substitute(edits []Edit) *Node {
	if len(edits) == 0 {
		return n
	}
	var b builder
	at := 0
	for _, e := range edits {
		n.copyTo(&b, at, e.Start)
		r := n.At(e.Start, e.End)
		b.whole(e.Text, r.Start, r.End)
		at = e.End
	}
	n.copyTo(&b, at, len(n.Value))
	edited := *n
	edited.Value = string(b.value)
	edited.positions = b.positionMap
	if len(n.positions.runs) == 0 {
		edited.positions = positionMap{}
	}
	return &edited
}

// copyTo appends the bytes from start to end of the value with their positions.
func (n *Node) copyTo(b *builder, start, end int) {
	if len(n.positions.runs) == 0 {
		b.value = append(b.value, n.Value[start:end]...)
		return
	}
	for i := n.positions.runAt(start); start < end; i++ {
		r := n.positions.runs[i]
		stop := min(r.value+r.size, end)
		if r.verbatim {
			b.verbatim(n.Value[start:stop], r.file+start-r.value)
		} else {
			b.whole(n.Value[start:stop], r.file, r.file+r.fileSize)
		}
		start = stop
	}
}
