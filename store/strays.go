package store

import "github.com/followspan/followspan/trace"

// maxStrays is how many spans in no flow are remembered of each process.
const maxStrays = 1024

// strayed remembers a new span of a process that is in no flow yet.
func (p *process) strayed(v trace.View, n trace.Node) {
	if p.doubt != "" || v.Caused(n) {
		return
	}
	if len(p.strays) == maxStrays {
		p.strays = append(p.strays[:0], p.strays[maxStrays/2:]...)
	}
	p.strays = append(p.strays, n)
}

// straying reports whether a process that took part in an instance has sent spans
// since it began that are in no flow. They may belong to it, where a context was
// lost or a trace has not arrived whole, and so say nothing of its end.
func (s *Store) straying(p *process, in *instance) bool {
	v := s.graph.View()
	began := trace.Time(0)
	if in.state.Origin != trace.None {
		began = v.Span(in.state.Origin).Start()
	}
	for i := len(p.strays) - 1; i >= 0; i-- {
		if n := p.strays[i]; v.Caused(n) {
			p.strays = append(p.strays[:i], p.strays[i+1:]...)
		} else if v.Span(n).Start() >= began {
			return true
		}
	}
	return false
}
