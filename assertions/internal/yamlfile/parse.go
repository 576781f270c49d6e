package yamlfile

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/followspan/followspan/internal/diag"
	"go.yaml.in/yaml/v3"
)

// Limits bound what [Parse] accepts. A zero field means its default.
type Limits struct {
	Bytes int // size of the file; default 1 MiB
	Depth int // nesting of lists and mappings; default 100
	Nodes int // values, and 32 bytes of text each, those repeated through aliases included; default 100,000
}

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = 1 << 20
	}
	if l.Depth == 0 {
		l.Depth = 100
	}
	if l.Nodes == 0 {
		l.Nodes = 100_000
	}
	return l
}

// Parse reads the one document of src. It returns as many problems as it finds; the node is nil if the text is no
// YAML at all, so that nothing in it can be judged.
func Parse(src *diag.Source, limits Limits) (*Node, diag.List) {
	limits = limits.withDefaults()
	if problems := checkText(src, limits); problems != nil {
		return nil, problems
	}
	document, err := decode(src.Text())
	if errors.Is(err, io.EOF) {
		return nil, diag.List{{Severity: diag.Error, What: "empty file", Range: src.Whole(),
			Label: "a flow file needs at least a version and a flow", Try: []string{"followspan init writes a commented starter file"}}}
	}
	if err != nil {
		return nil, diag.List{explain(src, err)}
	}
	c := converter{source: src, limits: limits, done: map[*yaml.Node]*Node{}, sizes: map[*Node]int{}}
	root := c.node(document.Content[0], 1)
	if c.fatal {
		return nil, c.problems
	}
	return root, c.problems
}

// errSecondDocument says at which line another document starts.
type errSecondDocument int

func (e errSecondDocument) Error() string { return fmt.Sprintf("line %d: second document", int(e)) }

// decode returns the only document of text, or io.EOF if there is none.
func decode(text string) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &document, nil
	case err != nil:
		return nil, err
	}
	return nil, errSecondDocument(second.Line)
}
