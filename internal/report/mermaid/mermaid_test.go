package mermaid

import (
	"bytes"
	"encoding/json"
	"html"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/watch"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// understood is what Mermaid finds in a diagram.
type understood struct {
	Error  string
	Actors []struct{ ID, Label string }
	Steps  []struct{ From, To, Label string }
}

// understand has Mermaid parse diagrams.
func understand(t *testing.T, diagrams []string) (all []understood) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: what show writes for Mermaid is not given to Mermaid", program)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "parse.mjs"} {
		content, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	in, err := json.Marshal(diagrams)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(run(t, dir, in, "node", "parse.mjs"), &all); err != nil || len(all) != len(diagrams) {
		t.Fatalf("%d of %d diagrams were read, error %v", len(all), len(diagrams), err)
	}
	return all
}

func run(t *testing.T, dir string, stdin []byte, program string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	var complaints bytes.Buffer
	command.Dir, command.Stdin, command.Stderr = dir, bytes.NewReader(stdin), &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, &complaints)
	}
	return out
}

// diagram is a sequence diagram and what of it must be seen.
type diagram struct {
	from, text      string
	services, names []string
}

// Mermaid parses every diagram, and shows what followspan wrote and nothing else.
func TestMermaid(t *testing.T) {
	diagrams := slices.Concat(ofSamples(t), ofHostileNames(t), ofRandomNames(t, 300))
	var texts []string
	for _, d := range diagrams {
		texts = append(texts, d.text)
	}
	for i, got := range understand(t, texts) {
		d := diagrams[i]
		if got.Error != "" {
			t.Errorf("%s: %s\n%s", d.from, got.Error, d.text)
			continue
		}
		var participants, steps []string
		for _, a := range got.Actors {
			participants = append(participants, shown(a.Label))
		}
		for _, s := range got.Steps {
			steps = append(steps, shown(s.Label))
		}
		wantParticipants, wantSteps := written(d.text)
		if !slices.Equal(participants, wantParticipants) || !slices.Equal(steps, wantSteps) {
			t.Errorf("%s:\n got %q, %q\nwant %q, %q\n%s", d.from, participants, steps, wantParticipants, wantSteps, d.text)
		}
		for _, s := range d.services {
			if !slices.Contains(participants, s) {
				t.Errorf("%s: no participant %q among %q", d.from, s, participants)
			}
		}
		for _, n := range d.names {
			if !slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, n) }) {
				t.Errorf("%s: no %q in %q", d.from, n, steps)
			}
		}
	}
}

// shown is a label as a browser shows it: Mermaid holds entities in signs of its own.
func shown(label string) string {
	return html.UnescapeString(strings.NewReplacer("ﬂ°°", "&#", "ﬂ°", "&", "¶ß", ";").Replace(label))
}

// written are the labels of a diagram as it was written.
func written(text string) (participants, steps []string) {
	entity := regexp.MustCompile(`#(\d+);`)
	for line := range strings.Lines(strings.TrimPrefix(text, "sequenceDiagram\n")) {
		to, separator := &steps, ": "
		if strings.HasPrefix(line, "    participant ") {
			to, separator = &participants, " as "
		}
		_, label, _ := strings.Cut(line, separator)
		*to = append(*to, strings.TrimSpace(html.UnescapeString(entity.ReplaceAllString(label, "&#$1;"))))
	}
	return participants, steps
}

// traces are those of some spans, with what they led to.
func traces(t *testing.T, spans func(emit func(trace.Batch) error) error) (all []trace.Flow) {
	t.Helper()
	st := store.New([]trace.Membership{watch.Membership}, store.Settings{})
	if err := spans(func(b trace.Batch) error { return st.Consume(t.Context(), b) }); err != nil {
		t.Fatal(err)
	}
	st.Close(trace.ByEndOfRecording)
	for {
		f, err := st.Next(t.Context())
		if err != nil {
			return all
		}
		all = append(all, f)
	}
}

func draw(t *testing.T, f trace.Flow, verbose bool) string {
	t.Helper()
	var b strings.Builder
	if err := report.Sequence(&b, f, report.TextSettings{Verbose: verbose}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// ofSamples are the traces that tools wrote.
func ofSamples(t *testing.T) (all []diagram) {
	files, err := recording.Find([]string{"../../recording/testdata/samples", "../../../examples/recorded/shop.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := traces(t, func(emit func(trace.Batch) error) error {
			_, err := recording.NewReader(recording.Settings{}, emit).Read(t.Context(), name, bytes.NewReader(content))
			return err
		})
		if len(found) == 0 {
			t.Errorf("%s holds no trace", name)
		}
		for _, f := range found {
			all = append(all, diagram{from: name, text: draw(t, f, true)})
		}
	}
	return all
}

// hostile are names that mean something to Mermaid, to HTML, or to a terminal.
var hostile = []string{
	"end", "END", "a; end", "loop forever", "alt", "par", "rect rgb(0,0,0)", "critical", "break", "autonumber", "title x", "accTitle: x",
	`"quoted" 'twice'`, "semi;colon;", "#", "#35;", "#quot;", "&amp; &#35;", "a # comment", "%% no comment", "%%{init: {'theme':'dark'}}%%",
	"---", "sequenceDiagram", "participant p1 as p2", "as", "x as y", "a: b: c", ": colon", "wrap:", "wrap: no", "nowrap: no", ":wrap: x",
	"style: fill:#fff;", "classDef a: #f9f;", "a->>b: c", "-->>-", "->>+", "--x", "-)", "+plus", "-minus", "a,b", "{x}", "@{ \"type\": \"database\" }",
	"[x]", "(x)", "()", "p1()", "<script>alert(1)</script>", "<br/>", "</text>", "$$x^2$$", "\\n", "a\nb", "a\r\nb", "\t", "tab\there", "\x00\x1b[31m",
	"emoji 😀👩‍👩‍👧", "שלום עולם", "مرحبا", "\u202eright-to-left\u202c", "世界", "é", "\u2028", "\ufeffmark", "ﬂ°°35¶ß", "`code`", "**bold**",
	"javascript:alert(1)", "https://example.org/a?b=c&d=e#f", " lead and trail ", strings.Repeat("long ", 40), "\xff\xfe",
}

// ofHostileNames are diagrams in which each name stands wherever one can stand.
func ofHostileNames(t *testing.T) (all []diagram) {
	for _, name := range hostile {
		d := named(t, name, name+" callee", func(string) string { return name })
		d.from = "names " + name
		all = append(all, d)
	}
	return all
}

// ofRandomNames are diagrams with names made of what is hostile.
func ofRandomNames(t *testing.T, n int) (all []diagram) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(string) (name string) {
		for range 1 + r.IntN(4) {
			part := []rune(hostile[r.IntN(len(hostile))])
			at := r.IntN(len(part) + 1)
			name += string(part[at:min(len(part), at+r.IntN(9))])
		}
		return name
	}
	for range n {
		d := named(t, "a"+pick(""), "b"+pick(""), pick)
		d.from, d.names, d.services = "random names", nil, nil
		all = append(all, d)
	}
	return all
}

// named is the diagram of a trace with calls that fail and succeed, messages, calls of
// those who sent no span, errors within a service, and what never arrived.
func named(t *testing.T, caller, callee string, name func(of string) string) diagram {
	t.Helper()
	var b trace.Builder
	id := byte(0)
	add := func(service string, parent byte, kind trace.Kind, status trace.Status, attrs ...trace.Attr) byte {
		id++
		b.SetResource(trace.ResourceData{Attrs: []trace.Attr{{Key: "service.name", Value: trace.StringValue(service)}}})
		span := &trace.SpanData{TraceID: trace.TraceID{1}, ID: trace.SpanID{id}, Name: name("span"), Kind: kind, Attrs: attrs,
			Status: status, StatusMessage: name("message"), Start: trace.Time(id) * 1e9, End: trace.Time(100-id) * 1e9}
		if parent > 0 {
			span.Parent = trace.SpanID{parent}
		}
		b.Add(span)
		return id
	}
	root := add(caller, 0, trace.Server, trace.Unset)
	add(callee, add(caller, root, trace.Client, trace.Unset), trace.Server, trace.Error)
	add(callee, root, trace.Consumer, trace.Unset)
	add(caller, root, trace.Internal, trace.Error)
	add(caller, root, trace.Client, trace.Error, trace.Attr{Key: "db.system.name", Value: trace.StringValue(name("database"))})
	add(caller, root, trace.Client, trace.Unset, trace.Attr{Key: "peer.service", Value: trace.StringValue(name("peer"))})
	add(callee, 99, trace.Server, trace.Unset)
	spans := b.Commit()
	flows := traces(t, func(emit func(trace.Batch) error) error { return emit(trace.Batch{Spans: spans}) })
	if len(flows) != 1 {
		t.Fatalf("%d traces", len(flows))
	}
	d := diagram{text: draw(t, flows[0], false)}
	if plain.MatchString(caller) && len(caller) < 60 {
		d.services, d.names = []string{strings.TrimSpace(caller), strings.TrimSpace(callee)}, []string{strings.TrimSpace(caller)}
	}
	return d
}

// plain is text that is shown as it is: no sign of it steers a terminal.
var plain = regexp.MustCompile(`^[^\pC\p{Zl}\p{Zp}\x{FFFD}]+$`)
