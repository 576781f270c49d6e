package yamlfile

import (
	"sort"

	"github.com/followspan/followspan/internal/diag"
)

// positionMap says for each byte of a decoded value where in the file it comes from. Its runs follow each other
// without gaps from the value's first byte on. A map without runs knows nothing but the start of the scalar.
type positionMap struct {
	runs []run
}

// run maps size bytes of the value to fileSize bytes of the file. A verbatim run maps byte by byte; any other is an
// escape or a line fold, which maps as a whole.
type run struct {
	value, file    int
	size, fileSize int
	verbatim       bool
}

func (m positionMap) size() int {
	if len(m.runs) == 0 {
		return 0
	}
	last := m.runs[len(m.runs)-1]
	return last.value + last.size
}

func (m positionMap) at(whole diag.Range, start, end int) diag.Range {
	if len(m.runs) == 0 {
		return whole.Source.Range(whole.Start, min(whole.Start+1, whole.End))
	}
	start = min(max(start, 0), m.size())
	end = min(max(end, start), m.size())
	from := m.start(start)
	if start == end {
		return whole.Source.Range(from, from)
	}
	return whole.Source.Range(from, m.end(end))
}

// start is the file offset of the value's byte at offset, or where the value ends in the file.
func (m positionMap) start(offset int) int {
	i := m.runAt(offset)
	if i == len(m.runs) {
		last := m.runs[i-1]
		return last.file + last.fileSize
	}
	r := m.runs[i]
	if r.verbatim {
		return r.file + offset - r.value
	}
	return r.file
}

// end is the file offset behind the value's byte before offset.
func (m positionMap) end(offset int) int {
	r := m.runs[m.runAt(offset-1)]
	if r.verbatim {
		return r.file + offset - r.value
	}
	return r.file + r.fileSize
}

// runAt is the index of the run that holds the value's byte at offset, or len(m.runs).
func (m positionMap) runAt(offset int) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].value+m.runs[i].size > offset })
}

// builder decodes one scalar and records where each part came from.
type builder struct {
	value []byte
	positionMap
}

// verbatim appends text that stands in the file as it is.
func (b *builder) verbatim(text string, file int) {
	if text == "" {
		return
	}
	if n := len(b.runs); n > 0 {
		if last := &b.runs[n-1]; last.verbatim && last.file+last.fileSize == file {
			last.size += len(text)
			last.fileSize += len(text)
			b.value = append(b.value, text...)
			return
		}
	}
	b.runs = append(b.runs, run{len(b.value), file, len(text), len(text), true})
	b.value = append(b.value, text...)
}

// whole appends text that the bytes of the file from start to end mean together.
func (b *builder) whole(text string, start, end int) {
	if text == "" {
		return
	}
	b.runs = append(b.runs, run{len(b.value), start, len(text), end - start, false})
	b.value = append(b.value, text...)
}
