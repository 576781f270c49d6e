package assertions_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

// The documentation of the language is a test. Its fenced blocks are
//
//	yaml      a flow file, or a part of one, which loads without any problem
//	yaml bad  a flow file that does not
//	sketch    spans, judged by the flow file above them in their section, or else
//	          by the next one; comments at the end say what is found
//	text      what followspan prints about the sketch or the bad file above it
//
// With -update the comments and the texts are written anew.
const languagePath = "../docs/language.md"

// block is a fenced part of the document.
type block struct {
	kind       string
	text       string
	line       int // of its first line of text, counted from 1
	start, end int // of text
	section    int // how many headings stand above it
}

var (
	fencePattern   = regexp.MustCompile("(?ms)^```([a-z ]*)\n(.*?)^```$")
	headingPattern = regexp.MustCompile(`(?m)^#+ .*$`)
)

func readLanguage(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(languagePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func blocksOf(doc string) (all []block) {
	var fenced [][]int
	fenced = append(fenced, fencePattern.FindAllStringSubmatchIndex(doc, -1)...)
	headings := slices.DeleteFunc(headingPattern.FindAllStringIndex(doc, -1), func(h []int) bool {
		return slices.ContainsFunc(fenced, func(m []int) bool { return m[0] < h[0] && h[0] < m[1] }) // a comment
	})
	for _, m := range fenced {
		section := 0
		for _, h := range headings {
			if h[0] < m[0] {
				section++
			}
		}
		all = append(all, block{doc[m[2]:m[3]], doc[m[4]:m[5]], 1 + strings.Count(doc[:m[4]], "\n"), m[4], m[5], section})
	}
	return all
}

// nearest is the last block of that kind above block i in its section, else the
// first below it.
func nearest(t testing.TB, all []block, i int, kinds ...string) block {
	t.Helper()
	fits := func(b block) bool { return b.section == all[i].section && slices.Contains(kinds, b.kind) }
	for _, b := range slices.Backward(all[:i]) {
		if fits(b) {
			return b
		}
	}
	for _, b := range all[i+1:] {
		if fits(b) {
			return b
		}
	}
	t.Fatalf("language.md:%d: no %s in this section", all[i].line, strings.Join(kinds, " or "))
	return block{}
}

var topLevel = regexp.MustCompile(`(?m)^(version|flows|invariants|system|params|defaults)\b`)

// wholeFile completes a part of a flow file: what stands below a flow, or a list
// of assertions of one.
func wholeFile(text string) string {
	switch keys := topLevel.FindAllString(text, -1); {
	case slices.Contains(keys, "version"):
	case len(keys) > 0:
		text = "version: 1\n" + text
		if !slices.Contains(keys, "flows") && !slices.Contains(keys, "invariants") {
			text += "flows:\n  example:\n    origin: isRoot\n"
		}
	default:
		text = "version: 1\nflows:\n  example:\n" + indented(text)
	}
	return text
}

func indented(text string) string {
	return "    " + strings.TrimSpace(strings.ReplaceAll(text, "\n", "\n    ")) + "\n"
}

func loadText(t testing.TB, line int, text string) *assertions.Suite {
	t.Helper()
	suite, problems := assertions.Load(diag.NewSource("checkout.flow.yaml", wholeFile(text)), assertions.Options{})
	if len(problems) > 0 {
		t.Fatalf("language.md:%d: %s", line, diag.Style{}.RenderAll(problems))
	}
	return suite
}

func TestLanguageFlowFiles(t *testing.T) {
	for _, b := range blocksOf(readLanguage(t)) {
		if b.kind == "yaml" {
			loadText(t, b.line, b.text)
		}
	}
}

// Every link within the document leads to a heading.
func TestLanguageLinks(t *testing.T) {
	doc := readLanguage(t)
	anchors := map[string]bool{}
	for _, h := range headingPattern.FindAllString(doc, -1) {
		words := strings.ToLower(strings.TrimLeft(h, "# "))
		anchors[strings.ReplaceAll(notInAnchors.ReplaceAllString(words, ""), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(doc, -1) {
		if !anchors[m[1]] {
			t.Errorf("no heading #%s", m[1])
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 -]`)

// TestLanguageExamples plays the sketches, and compares what the document says of
// them and of the files that do not load.
func TestLanguageExamples(t *testing.T) {
	doc := readLanguage(t)
	all := blocksOf(doc)
	rewritten := doc
	for i, b := range slices.Backward(all) {
		got := b.text
		switch b.kind {
		case "sketch":
			flow := nearest(t, all, i, "yaml")
			spans := verdictLines.ReplaceAllString(b.text, "")
			got = spans + verdictsIn(judgeSketch(t, loadText(t, flow.line, flow.text), spans))
		case "text":
			got = printed(t, all, i)
		}
		if diff := cmp.Diff(b.text, got); diff != "" && !updating() {
			t.Errorf("language.md:%d (-want +got)\n%s", b.line, diff)
		}
		rewritten = rewritten[:b.start] + got + rewritten[b.end:]
	}
	if updating() && rewritten != doc {
		if err := os.WriteFile(languagePath, []byte(rewritten), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// printed is what followspan prints about the example above.
func printed(t testing.TB, all []block, i int) string {
	t.Helper()
	for j, b := range slices.Backward(all[:i]) {
		switch b.kind {
		case "yaml bad":
			_, problems := assertions.Load(diag.NewSource("checkout.flow.yaml", b.text), assertions.Options{})
			if !problems.HasErrors() {
				t.Errorf("language.md:%d: this loads", b.line)
			}
			return diag.Style{Columns: 92}.RenderAll(problems)
		case "sketch":
			flow := nearest(t, all, j, "yaml")
			spans := verdictLines.ReplaceAllString(b.text, "")
			return failuresOf(t, judgeSketch(t, loadText(t, flow.line, flow.text), spans))
		}
	}
	t.Fatalf("language.md:%d: no example above this text", all[i].line)
	return ""
}

// verdictLines are the comments with which a sketch ends.
var verdictLines = regexp.MustCompile(`(?m)^# (PASS|FAIL|INCONCLUSIVE|ERROR|NOT APPLICABLE|[0-9]+ (flows|runs)).*\n`)

// played judges flows as a run does; see package run, which tells the time by itself.
type played struct {
	suite  *assertions.Suite
	player *storetest.Player
	flows  map[*trace.FlowRecord]*playedFlow
	order  []*playedFlow
}

type playedFlow struct {
	run.InstanceResult
	instance *assertions.Instance
	final    bool
}

// judgeSketch plays a sketch span by span, waits for a silence, and closes what
// still waits at its deadline.
func judgeSketch(t testing.TB, suite *assertions.Suite, text string) *run.Result {
	t.Helper()
	s, err := sketch.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p := &played{suite, storetest.New(suite.Memberships(), store.Settings{}), map[*trace.FlowRecord]*playedFlow{}, nil}
	for _, a := range s.Arrivals {
		p.judge(p.player.Arrive(a))
	}
	for range 600 {
		p.judge(p.player.Wait(100 * time.Millisecond))
	}
	p.judge(p.player.Close(trace.ByEndOfRun))
	return p.result()
}

func (p *played) judge(flows []trace.Flow) {
	for _, f := range flows {
		if f.State() == trace.Retracted {
			delete(p.flows, f.FlowRecord)
			p.order = slices.DeleteFunc(p.order, func(x *playedFlow) bool { return x.Flow.FlowRecord == f.FlowRecord })
			continue
		}
		x := p.flows[f.FlowRecord]
		if x == nil {
			x = &playedFlow{instance: p.suite.Open(f.Declaration)}
			p.flows[f.FlowRecord] = x
			p.order = append(p.order, x)
		}
		p.look(x, f)
	}
}

func (p *played) look(x *playedFlow, f trace.Flow) {
	if x.final {
		if f.Len() > x.Flow.Len() {
			x.Flow = f
			for _, v := range x.instance.Revise(f, x.Verdicts) {
				i := slices.IndexFunc(x.Verdicts, func(old assertions.Verdict) bool { return old.Assertion == v.Assertion })
				x.Verdicts[i] = v
			}
		}
		return
	}
	x.Flow = f
	x.Verdicts = append(x.Verdicts, x.instance.Evaluate(f)...)
	across := len(p.suite.Flow(f.Declaration).Across) > 0
	switch {
	case f.State() == trace.Closed:
		x.final = true
	case x.instance.Done() && !across:
		p.close(x, trace.ByVerdicts)
	case f.State() == trace.Complete && len(x.instance.Awaiting()) == 0:
		p.close(x, trace.BySilence)
	}
}

func (p *played) close(x *playedFlow, why trace.Reason) {
	x.Flow = x.Flow.WithState(trace.Closed, why)
	x.Verdicts = append(x.Verdicts, x.instance.Evaluate(x.Flow)...)
	x.final = true
	p.player.Store.CloseFlow(x.Flow, why)
}

func (p *played) result() *run.Result {
	file := run.FileResult{Name: "checkout.flow.yaml"}
	for _, declared := range p.suite.Flows() {
		f := run.FlowResult{Name: declared.Name, Description: declared.Description}
		var closed []*assertions.Instance
		for _, x := range p.order {
			if x.Flow.Declaration != declared.Name {
				continue
			}
			x.instance.Complete(x.Flow, x.Verdicts)
			slices.SortStableFunc(x.Verdicts, func(a, b assertions.Verdict) int {
				return cmpIndex(declared.Assertions, a.Assertion, b.Assertion)
			})
			f.Instances = append(f.Instances, x.InstanceResult)
			closed = append(closed, x.instance)
		}
		if !declared.IsInvariant() {
			v := p.suite.JudgeRuns(declared.Name, len(f.Instances), p.player.Store.View(), 0)
			f.Runs, f.Across = &v, p.suite.JudgeAcross(declared.Name, closed, 0)
		}
		file.Flows = append(file.Flows, f)
	}
	stats := p.player.Store.Stats()
	took := time.Duration(0)
	for _, x := range p.order {
		took = max(took, x.Flow.Now().Sub(sketch.Base))
	}
	r := &run.Result{Duration: took, Files: []run.FileResult{file}, Received: run.Received{Spans: stats.Spans, Traces: stats.Traces}}
	for service, n := range stats.Services {
		r.Received.Services = append(r.Received.Services, run.ServiceCount{Service: service, Spans: n})
	}
	slices.SortFunc(r.Received.Services, func(a, b run.ServiceCount) int { return strings.Compare(a.Service, b.Service) })
	return r
}

func cmpIndex(order []*assertions.Assertion, a, b *assertions.Assertion) int {
	return slices.Index(order, a) - slices.Index(order, b)
}

// verdictsIn says what was found, as comments of a sketch.
func verdictsIn(r *run.Result) string {
	var b strings.Builder
	instances, passed := 0, 0
	for _, f := range r.Files[0].Flows {
		instances += len(f.Instances)
	}
	for v := range r.Verdicts() {
		if v.Outcome == assertions.Pass {
			passed++
			continue
		}
		fmt.Fprintf(&b, "# %s  %s: %s\n", strings.ToUpper(v.Outcome.String()), v.Assertion.Name, v.Explanation().Why)
	}
	if b.Len() == 0 && passed > 0 {
		b.WriteString("# PASS\n")
	}
	if instances > 1 {
		return fmt.Sprintf("# %d flows\n", instances) + b.String()
	}
	return b.String()
}

// failuresOf is what a report says of the failures.
func failuresOf(t testing.TB, r *run.Result) string {
	t.Helper()
	var b strings.Builder
	if err := report.Text(&b, r, report.TextSettings{Width: 100}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
