package assertions

import (
	"fmt"
	"strings"

	"github.com/followspan/followspan/assertions/internal/yamlfile"
	"github.com/followspan/followspan/internal/diag"
)

// FileOptions say how [ParseFile] reads a flow file. The zero value works.
type FileOptions struct {
	// Dir is the directory of the file, from which its relative paths start.
	Dir string
	// Params override the params of the file. Those that the file does not declare are for [CheckRun] to judge.
	Params map[string]string
	// Getenv looks up ${NAME}; nil means that the environment is empty.
	Getenv func(string) (string, bool)
	// Reserved are the words that neither a set nor a param may be called.
	Reserved []string
	// MaxBytes is the size of file that is refused; 0 means 1 MiB.
	MaxBytes int
}

// maxProblems is how many problems of one file are worth reading.
const maxProblems = 100

// ParseFile reads a flow file and checks everything but its expressions. It reports every problem at once, in order.
// The File is nil only if the text is no YAML mapping; if there are errors it lacks what they are about, and may
// still be used to look for further ones.
func ParseFile(src *diag.Source, o FileOptions) (*File, diag.List) {
	root, problems := yamlfile.Parse(src, yamlfile.Limits{Bytes: o.MaxBytes})
	if root == nil {
		return nil, problems.Sorted().Limit(maxProblems)
	}
	l := &loader{options: o, problems: problems, file: &File{Source: src, Dir: o.Dir}, params: map[string]Param{}, later: map[string]diag.Range{},
		captures: map[string]bool{}}
	if root.Kind != yamlfile.Mapping {
		l.wrong(root, "a mapping with version and flows", "a flow file consists of keys", "version: 1")
		return nil, l.problems.Sorted().Limit(maxProblems)
	}
	l.loadFile(root)
	return l.file, l.problems.Sorted().Limit(maxProblems)
}

// loader reads one file.
type loader struct {
	options  FileOptions
	file     *File
	problems diag.List

	params   map[string]Param
	later    map[string]diag.Range // params not yet read, with the range of their names
	captures map[string]bool       // names that system.ready.output captures
	grown    int                   // bytes that references put in so far
}

func (l *loader) report(d diag.Diagnostic) {
	if d.Severity == diag.Unknown {
		d.Severity = diag.Error
	}
	l.problems = append(l.problems, d)
}

// field is one key that a mapping may have.
type field struct {
	name string
	load func(yamlfile.Pair)
}

// fields reads the keys of a mapping in the order of the list. Other keys, and keys without a value, are reported.
// The owner is what the mapping is: "flow". It returns false if n is no mapping.
func (l *loader) fields(n *yamlfile.Node, owner, example string, fields []field) bool {
	if n.Kind != yamlfile.Mapping {
		return l.wrong(n, "a mapping", "the keys here are "+keyList(fields), example)
	}
	for i, p := range n.Pairs {
		if i == 0 || !p.Value.IsNull() || !l.cutOff(n.Pairs[i-1].Value) {
			l.knownKey(p, owner, fields)
		}
	}
	for _, f := range fields {
		if p, ok := n.Lookup(f.name); ok && !p.Value.Tagged && l.notEmpty(p) {
			f.load(p)
		}
	}
	return true
}

func keyList(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func (l *loader) knownKey(p yamlfile.Pair, owner string, fields []field) {
	var names []string
	for _, f := range fields {
		if f.name == p.Key.Value {
			return
		}
		names = append(names, f.name)
	}
	if l.splitExpression(p) {
		return
	}
	d := diag.Diagnostic{What: "unknown key", Range: p.Key.Range, Label: fmt.Sprintf("the %s has no key %q", owner, p.Key.Value),
		Notes: []string{"The keys here are " + keyList(fields) + "."}}
	if near, ok := diag.Suggest(p.Key.Value, names); ok {
		d.Try = []string{near}
	} else if place, ok := otherPlaces[p.Key.Value]; ok {
		d.Try = []string{place}
	}
	l.report(d)
}

// otherPlaces says where keys belong that people put, or know from, elsewhere.
var otherPlaces = map[string]string{
	"deadline": "timing: {deadline: …}, or under defaults", "quiet": "timing: {quiet: …}, or under defaults", "clock_skew": "timing: {clock_skew: …}, or under defaults",
	"timeout": "timing: {deadline: …} bounds a flow; a timeout belongs to a trigger's http, command or grpc", "keys": "stitch: {keys: …}", "scope": "stitch: {scope: …}",
	"hops": "stitch: {hops: …}", "repeat": "trigger: {repeat: …}", "http": "trigger: {http: …}, or system: {ready: {http: …}}", "name": "the key of a flow is its name",
	"assert": "expect:", "assertions": "expect:", "tests": "flows:", "then": "expect:", "selectors": "spans:", "sets": "spans:", "condition": "that:",
	"expr": "that:", "if": "when:", "level": "severity: error or severity: warn", "args": "argv:", "environment": "env:", "cwd": "dir:", "order": "sequence:", "forbid": "never:",
}

func (l *loader) notEmpty(p yamlfile.Pair) bool {
	if !p.Value.IsNull() {
		return true
	}
	l.report(diag.Diagnostic{What: "a key without a value", Range: p.Key.Range, Label: "nothing stands here", Try: []string{"leave the key out, or indent what belongs to it"}})
	return false
}

// wrong reports a node of another kind than wanted and returns false. The label explains what is wanted.
func (l *loader) wrong(n *yamlfile.Node, want, label string, example ...string) bool {
	if n.Kind == yamlfile.Mapping && len(n.Pairs) > 0 && l.splitExpression(n.Pairs[0]) {
		return false
	}
	l.report(diag.Diagnostic{What: "expected " + want + ", found " + noun(n), Range: n.Range, Label: label, Try: example})
	return false
}

func noun(n *yamlfile.Node) string {
	switch {
	case n.Kind == yamlfile.Mapping:
		return "a mapping"
	case n.Kind == yamlfile.Sequence:
		return "a list"
	case n.IsNull():
		return "nothing"
	case n.Type == yamlfile.Bool:
		return n.Value
	case n.Type == yamlfile.Int || n.Type == yamlfile.Float:
		return "a number"
	}
	return "text"
}

// pairs returns the entries of a mapping whose keys are names that the author chose.
func (l *loader) pairs(n *yamlfile.Node, key, example string) ([]yamlfile.Pair, bool) {
	if n.Kind != yamlfile.Mapping {
		return nil, l.wrong(n, "a mapping", key+" holds names with their values", example)
	}
	var pairs []yamlfile.Pair
	for _, p := range n.Pairs {
		if !p.Value.Tagged && l.notEmpty(p) {
			pairs = append(pairs, p)
		}
	}
	return pairs, true
}

// items returns the items of a list.
func (l *loader) items(n *yamlfile.Node, of, example string) []*yamlfile.Node {
	if n.Kind != yamlfile.Sequence {
		l.wrong(n, "a list of "+of, "each item stands on its own line and starts with \"- \"", example)
		return nil
	}
	if len(n.Items) == 0 {
		l.report(diag.Diagnostic{What: "an empty list of " + of, Range: n.Range, Label: "nothing stands here", Try: []string{"leave the key out", example}})
	}
	var items []*yamlfile.Node
	for _, item := range n.Items {
		if item.Tagged {
			continue
		}
		if item.IsNull() {
			l.report(diag.Diagnostic{What: "an empty item in a list", Range: item.Range, Label: "nothing stands here", Try: []string{example}})
			continue
		}
		items = append(items, item)
	}
	return items
}

// named checks a name that expressions will use.
func (l *loader) named(key *yamlfile.Node, what string) bool {
	switch name := key.Value; {
	case !isIdentifier(name):
		l.report(diag.Diagnostic{What: "this cannot be the name of a " + what, Range: key.Range,
			Label: "a name is letters, digits and _, and does not start with a digit", Try: []string{identifierFrom(name)}})
		return false
	case l.isReserved(name):
		l.report(diag.Diagnostic{What: "a " + what + " named like a word of the language", Range: key.Range,
			Label: fmt.Sprintf("%q has a meaning of its own in expressions", name), Try: []string{"my_" + name, "any other name"}})
		return false
	}
	return true
}

func (l *loader) isReserved(name string) bool {
	for _, word := range l.options.Reserved {
		if word == name {
			return true
		}
	}
	return false
}
