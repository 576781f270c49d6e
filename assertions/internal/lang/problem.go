package lang

import "fmt"

// Problem is something that is wrong with a source, or odd.
type Problem struct {
	From, To int    // bytes of the source
	What     string // one general line
	Label    string // why here, with the actual words
	Notes    []string
	Try      []string
	Warning  bool
}

// Error makes a Problem usable where a single error is wanted.
func (p Problem) Error() string {
	if p.Label == "" {
		return p.What
	}
	return p.What + ": " + p.Label
}

// problems collects what is wrong with one source.
type problems struct{ found []Problem }

func (p *problems) add(from, to int, what, label string, a ...any) *Problem {
	p.found = append(p.found, Problem{From: from, To: to, What: what, Label: fmt.Sprintf(label, a...)})
	return &p.found[len(p.found)-1]
}

func (p *Problem) try(t ...string) *Problem {
	p.Try = append(p.Try, t...)
	return p
}

func (p *Problem) note(format string, a ...any) *Problem {
	p.Notes = append(p.Notes, fmt.Sprintf(format, a...))
	return p
}
