package assertions

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/followspan/followspan/internal/diag"
)

// CheckRun checks what several files of one run must agree on: there is one system, or identical ones; every captured name
// that a trigger needs is captured by it; and every overriding param is declared somewhere. It returns the
// problems sorted by file and position.
func CheckRun(files []*File, params map[string]string) diag.List {
	var problems diag.List
	problems = append(problems, checkSystems(files)...)
	problems = append(problems, checkOpen(files)...)
	problems = append(problems, checkOverrides(files, params)...)
	return problems.Sorted()
}

func checkSystems(files []*File) diag.List {
	var first *File
	var problems diag.List
	for _, f := range files {
		switch {
		case f.System == nil:
		case first == nil:
			first = f
		case first.system() != f.system():
			problems = append(problems, diag.Diagnostic{Severity: diag.Error, What: "two different systems in one run", Range: f.System.Range, Label: "this one differs",
				Also: []diag.Mark{{Range: first.System.Range, Label: "from this one"}}, Try: []string{"run the files one after the other", "keep the system in one of them"}})
		}
	}
	return problems
}

// system writes the system of the file so that equal texts mean the same system.
func (f *File) system() string {
	s, c := f.System, f.System.Command
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %v", c.Shell.String(), filepath.Clean(f.Path(c.Dir.String())), s.Stop)
	for _, arg := range c.Argv {
		fmt.Fprintf(&b, " %q", arg.String())
	}
	env := make([]string, len(c.Env))
	for i, v := range c.Env {
		env[i] = v.Name + "=" + v.Value.String()
	}
	sort.Strings(env)
	fmt.Fprintf(&b, " %q", env)
	if r := s.Ready; r != nil {
		fmt.Fprintf(&b, " %q %q %q", r.HTTP.String(), r.TCP.String(), fmt.Sprint(r.Output))
	}
	return b.String()
}

// checkOpen reports names in triggers that no system captures.
func checkOpen(files []*File) diag.List {
	var captured []string
	for _, f := range files {
		if f.System != nil && f.System.Ready != nil && f.System.Ready.Output != nil {
			captured = append(captured, f.System.Ready.Output.SubexpNames()...)
		}
	}
	known := map[string]bool{}
	for _, name := range captured {
		known[name] = name != ""
	}
	var problems diag.List
	for _, f := range files {
		for _, p := range f.open() {
			if known[p.name] {
				continue
			}
			d := diag.Diagnostic{Severity: diag.Error, What: "unknown param", Range: p.at, Label: "neither a param nor in the environment, and no system captures it"}
			if near, ok := diag.Suggest(p.name, captured); ok {
				d.Try = append(d.Try, "${"+near+"}")
			}
			d.Try = append(d.Try, "${"+p.name+":-default}", "declare it: params: {"+p.name+": value}")
			problems = append(problems, d)
		}
	}
	return problems
}

// open returns the open names of all triggers.
func (f *File) open() []templatePart {
	var open []templatePart
	collect := func(t Template) { open = append(open, t.open()...) }
	for _, flow := range f.Flows {
		if flow.Trigger != nil {
			flow.Trigger.templates(collect)
		}
	}
	return open
}

// templates calls visit with each template of the trigger.
func (t *Trigger) templates(visit func(Template)) {
	var all []Template
	var variables []Variable
	if h := t.HTTP; h != nil {
		all, variables = append(all, h.Method, h.URL, h.Body), h.Headers
		h.JSON.templates(visit)
	}
	if c := t.Command; c != nil {
		all, variables = append(append(all, c.Argv...), c.Shell, c.Dir), c.Env
	}
	if g := t.GRPC; g != nil {
		all, variables = append(all, g.Target, g.Method), g.Metadata
		g.JSON.templates(visit)
	}
	for _, v := range variables {
		all = append(all, v.Value)
	}
	for _, template := range all {
		visit(template)
	}
}

func checkOverrides(files []*File, params map[string]string) diag.List {
	declared := map[string]bool{}
	for _, f := range files {
		for _, p := range f.Params {
			declared[p.Name] = true
		}
	}
	names := sortedKeys(declared)
	var problems diag.List
	for _, name := range sortedKeys(params) {
		if declared[name] {
			continue
		}
		d := diag.Diagnostic{Severity: diag.Error, What: fmt.Sprintf("--param %s: no flow file declares this param", name), Label: "the params are " + strings.Join(names, ", ")}
		if len(names) == 0 {
			d.Label = "no params are declared"
		}
		if near, ok := diag.Suggest(name, names); ok {
			d.Try = []string{"--param " + near + "=" + params[name]}
		}
		problems = append(problems, d)
	}
	return problems
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
