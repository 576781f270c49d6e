package yamlfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/followspan/followspan/internal/diag"
	"go.yaml.in/yaml/v3"
)

// converter turns the library's nodes into ours.
type converter struct {
	source   *diag.Source
	limits   Limits
	done     map[*yaml.Node]*Node // nil while a node is being converted
	sizes    map[*Node]int        // values in each node, aliases followed
	problems diag.List
	fatal    bool

	cursor       diag.Position // of the node before
	cursorOffset int
}

func (c *converter) report(d diag.Diagnostic) {
	d.Severity = diag.Error
	c.problems = append(c.problems, d)
}

// stop reports a problem after which the tree must not be used.
func (c *converter) stop(d diag.Diagnostic) *Node {
	if !c.fatal {
		c.report(d)
	}
	c.fatal = true
	return &Node{Kind: Scalar, Type: Null, Range: d.Range}
}

func (c *converter) node(y *yaml.Node, depth int) *Node {
	if c.fatal {
		return &Node{Kind: Scalar, Type: Null}
	}
	if y.Kind == yaml.AliasNode {
		return c.alias(y)
	}
	start, tagged := c.properties(y)
	if depth > c.limits.Depth {
		return c.stop(diag.Diagnostic{What: "nested too deeply", Range: c.source.Range(start, start+1),
			Label: fmt.Sprintf("more than %d lists and mappings inside each other", c.limits.Depth)})
	}
	c.done[y] = nil
	var n *Node
	switch y.Kind {
	case yaml.MappingNode:
		n = c.mapping(y, start, depth)
	case yaml.SequenceNode:
		n = c.sequence(y, start, depth)
	default:
		n = c.scalar(y, start)
	}
	n.Tagged = tagged
	c.done[y] = n
	c.size(n)
	return n
}

func (c *converter) alias(y *yaml.Node) *Node {
	at := c.offset(y)
	r := c.source.Range(at, at+len(y.Value)+1)
	n, seen := c.done[y.Alias]
	if !seen || n == nil {
		return c.stop(diag.Diagnostic{What: "alias inside its own anchor", Range: r, Label: fmt.Sprintf("&%s would contain itself without end", y.Value)})
	}
	return n
}

// size weighs n as if each alias were a copy, and refuses what grows beyond the limit.
func (c *converter) size(n *Node) {
	size := 1 + len(n.Value)/32
	for _, item := range n.Items {
		size += c.sizes[item]
	}
	for _, p := range n.Pairs {
		size += c.sizes[p.Key] + c.sizes[p.Value]
	}
	c.sizes[n] = size
	if size > c.limits.Nodes {
		c.stop(diag.Diagnostic{What: "too many values in the file", Range: n.Range,
			Label: fmt.Sprintf("more than %d values here, counting what aliases repeat", c.limits.Nodes)})
	}
}

func (c *converter) sequence(y *yaml.Node, start, depth int) *Node {
	n := &Node{Kind: Sequence, Range: c.collectionRange(y, start)}
	for _, item := range y.Content {
		n.Items = append(n.Items, c.node(item, depth+1))
	}
	return n
}

func (c *converter) mapping(y *yaml.Node, start, depth int) *Node {
	n := &Node{Kind: Mapping, Range: c.collectionRange(y, start)}
	first := map[string]*Node{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, ok := c.key(y.Content[i], depth)
		value := c.node(y.Content[i+1], depth+1)
		if !ok {
			continue
		}
		if i == 0 && y.Style&yaml.FlowStyle == 0 {
			n.Range = key.Range
		}
		if earlier, twice := first[key.Value]; twice {
			c.report(diag.Diagnostic{What: fmt.Sprintf("the key %q occurs twice", key.Value), Range: key.Range, Label: "again here",
				Also: []diag.Mark{{Range: earlier.Range, Label: "first here"}}, Notes: []string{"YAML would keep only one of them."}})
			continue
		}
		first[key.Value] = key
		n.Pairs = append(n.Pairs, Pair{key, value})
	}
	return n
}

// key converts a key, which must be a scalar and no merge key.
func (c *converter) key(y *yaml.Node, depth int) (*Node, bool) {
	n := c.node(y, depth+1)
	switch {
	case n.Kind != Scalar:
		c.report(diag.Diagnostic{What: "a key must be a word", Range: n.Range, Label: "a list or a mapping cannot be a key",
			Try: []string{"if this is an expression, put it in a | block"}})
		return nil, false
	case y.Kind == yaml.ScalarNode && y.Tag == "!!merge":
		c.report(diag.Diagnostic{What: "merge keys are not read", Range: n.Range, Label: "<< would copy another mapping in here",
			Try: []string{"write the keys out", "declare what is shared once: selectors under the top-level spans:, constants under params:"}})
		return nil, false
	}
	return n, true
}

// properties skips an anchor before the node and refuses a tag. It returns where the node itself starts.
func (c *converter) properties(y *yaml.Node) (start int, tagged bool) {
	text := c.source.Text()
	isEmpty := y.Kind == yaml.ScalarNode && y.Value == "" && y.Style&^yaml.TaggedStyle == 0
	for start = c.offset(y); start < len(text); {
		end := start + 1
		switch text[start] {
		case '&':
			end += len(anchorName.FindString(text[end:]))
		case '!':
			end = indexOrEnd(text, start, " \t\r\n,[]{}")
			c.tag(start, end)
			tagged = true
		default:
			return start, tagged
		}
		if start = end; !isEmpty {
			start = skipBlanks(text, end)
		}
	}
	return start, tagged
}

var anchorName = regexp.MustCompile(`^[0-9A-Za-z_-]+`)

func (c *converter) tag(start, end int) {
	r := c.source.Range(start, end)
	if strings.HasPrefix(r.Text(), "!!") {
		c.report(diag.Diagnostic{What: "tags are not read", Range: r, Label: "flow files need no types: each key knows its own",
			Try: []string{"quote the value if it must be text"}})
		return
	}
	c.report(negation(r))
}

// negation is the message for an expression that starts with an exclamation mark, which YAML takes for a tag.
func negation(r diag.Range) diag.Diagnostic {
	try := []string{"write not instead of !", "put the expression in a | block"}
	if operand := r.Text()[1:]; operandPattern.MatchString(operand) {
		try[0] = "not " + operand
	}
	return diag.Diagnostic{Severity: diag.Error, What: "YAML takes a leading ! for a tag", Range: r, Label: "it would not be read as a part of the expression", Try: try}
}

// operandPattern matches what can be repeated in a hint as it is.
var operandPattern = regexp.MustCompile(`^[\w.]+(?:\([^()]*\))?$`)

// offset is where the node starts. Nodes come mostly in the order of the file, so it counts on from the one before:
// a long line would take quadratic time otherwise.
func (c *converter) offset(y *yaml.Node) int {
	if y.Line != c.cursor.Line || y.Column < c.cursor.Column {
		c.cursor = diag.Position{Line: y.Line, Column: 1}
		c.cursorOffset, _ = c.source.LineBounds(y.Line)
	}
	text := c.source.Text()
	for ; c.cursor.Column < y.Column && c.cursorOffset < len(text); c.cursor.Column++ {
		_, size := utf8.DecodeRuneInString(text[c.cursorOffset:])
		c.cursorOffset += size
	}
	return c.cursorOffset
}

func (c *converter) collectionRange(y *yaml.Node, start int) diag.Range {
	text := c.source.Text()
	if y.Style&yaml.FlowStyle != 0 {
		return c.source.Range(start, closingBracket(text, start))
	}
	return c.source.Range(start, start+1)
}

func (c *converter) scalar(y *yaml.Node, start int) *Node {
	n := &Node{Kind: Scalar, Value: y.Value, Style: styleOf(y), Type: typeOf(y)}
	var b builder
	end := start
	switch n.Style {
	case Plain:
		end = b.plain(c.source.Text(), y.Value, start)
	case SingleQuoted, DoubleQuoted:
		end = b.quoted(c.source.Text(), start)
	case Literal, Folded:
		end = b.block(c.source.Text(), y.Value, start)
	}
	if string(b.value) == y.Value {
		n.positions = b.positionMap
	} else {
		end = start + 1
	}
	n.Range = c.source.Range(start, end)
	if n.Type == Null {
		n.Value, n.positions = "", positionMap{}
	}
	return n
}

func styleOf(y *yaml.Node) Style {
	switch {
	case y.Style&yaml.SingleQuotedStyle != 0:
		return SingleQuoted
	case y.Style&yaml.DoubleQuotedStyle != 0:
		return DoubleQuoted
	case y.Style&yaml.LiteralStyle != 0:
		return Literal
	case y.Style&yaml.FoldedStyle != 0:
		return Folded
	}
	return Plain
}

func typeOf(y *yaml.Node) Type {
	if y.Style&^yaml.FlowStyle != 0 {
		return String
	}
	switch y.Tag {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int":
		return Int
	case "!!float":
		return Float
	}
	return String
}
