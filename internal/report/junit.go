package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
)

// JUnitSettings say how strict a JUnit report is.
type JUnitSettings struct {
	// Strict makes failed assertions of severity warn failures.
	Strict bool
}

// JUnit writes the result as JUnit XML: a suite for each declared flow, a case for
// each assertion in each instance of it, and a suite "run" for what went wrong
// besides.
//
// An assertion that failed is a failure of type "fail" with its evidence as text,
// one that could not be evaluated an error. An inconclusive one is a failure of type "inconclusive",
// because CI systems know nothing between red and green, and it is not green. One
// whose guard never held is skipped; a warning passes, with its evidence as output.
// The output of a suite says how each instance closed, with the trees of those in
// which something failed.
// If nothing was judged the run holds an error that says so: no tests is no success.
func JUnit(w io.Writer, r *run.Result, s JUnitSettings) error {
	j := junit{newPage(TextSettings{Strict: s.Strict})}
	doc := junitSuites{Name: "followspan", Time: seconds(r.Duration)}
	for i := range r.Files {
		for k := range r.Files[i].Flows {
			doc.Suites = append(doc.Suites, j.suite(&r.Files[i], &r.Files[i].Flows[k]))
		}
	}
	if run := j.runSuite(r); len(run.Cases) > 0 || run.Out != nil {
		doc.Suites = append(doc.Suites, run)
	}
	for i := range doc.Suites {
		doc.add(&doc.Suites[i], r)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Time   string       `xml:"time,attr"`
	Suites []junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
	Out       *junitText  `xml:"system-out"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Skipped *junitProblem `xml:"skipped"`
	Out     *junitText    `xml:"system-out"`
}

// junitText is text that stays readable in the file. CDATA is written as it is, so
// it must hold nothing that XML cannot.
type junitText struct {
	Text string `xml:",cdata"`
}

func newJUnitText(s string) *junitText {
	if s == "" {
		return nil
	}
	return &junitText{xmlSafe(s)}
}

// xmlSafe replaces what no XML document may hold, not even escaped.
func xmlSafe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r >= 0x20 && r <= 0xfffd, r >= 0x10000:
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

// add counts a suite and its cases.
func (d *junitSuites) add(s *junitSuite, r *run.Result) {
	if !r.Started.IsZero() {
		s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	for _, c := range s.Cases {
		s.Tests++
		s.Failures += boolInt(c.Failure != nil)
		s.Errors += boolInt(c.Error != nil)
		s.Skipped += boolInt(c.Skipped != nil)
	}
	d.Tests += s.Tests
	d.Failures += s.Failures
	d.Errors += s.Errors
	d.Skipped += s.Skipped
}

// junit makes cases; its page says how grave a verdict is.
type junit struct{ *page }

func (j *junit) suite(file *run.FileResult, f *run.FlowResult) junitSuite {
	s := junitSuite{Name: file.Name + ": " + f.Name}
	var longest time.Duration
	var out strings.Builder
	for i := range f.Instances {
		in := &f.Instances[i]
		scene := sceneOf(in)
		for k := range in.Verdicts {
			c := j.verdict(file, f, scene, &in.Verdicts[k])
			if len(f.Instances) > 1 {
				c.Name += " [flow " + in.Verdicts[k].Instance + "]"
			}
			s.Cases = append(s.Cases, c)
			longest = max(longest, in.Verdicts[k].At)
		}
		out.WriteString(j.story(f.Name, in, scene))
	}
	for _, v := range f.Overall() {
		s.Cases = append(s.Cases, j.verdict(file, f, scene{}, &v))
	}
	s.Time, s.Out = seconds(longest), newJUnitText(out.String())
	return s
}

// story is how an instance closed and, if something failed, its tree.
func (j *junit) story(name string, in *run.InstanceResult, s scene) string {
	p := j.fresh()
	p.instanceLine(name, in, "")
	p.openEdges(4, s)
	if slices.ContainsFunc(in.Verdicts, j.failed) {
		p.tree(s, marksOf(p, in.Verdicts))
	}
	return p.String()
}

func (j *junit) verdict(file *run.FileResult, f *run.FlowResult, s scene, v *assertions.Verdict) junitCase {
	c := junitCase{Class: file.Name + ": " + f.Name, Name: v.Assertion.Name, Time: seconds(v.At)}
	c.place(v.Assertion.Range)
	problem := &junitProblem{Message: v.Explanation().Why, Type: v.Outcome.String()}
	if v.Outcome == assertions.Undecided {
		problem.Type = assertions.Inconclusive.String()
	}
	switch j.gravity(v) {
	case 0:
		c.passed(v, problem)
		return c
	case 1:
		c.Out = newJUnitText("\n" + j.explained(s, v))
		return c
	case 3:
		c.Error = problem
	default:
		c.Failure = problem
	}
	problem.Text = xmlSafe("\n" + j.explained(s, v))
	return c
}

// passed fills in the case of an assertion that did not fail.
func (c *junitCase) passed(v *assertions.Verdict, problem *junitProblem) {
	if v.Outcome == assertions.NotApplicable {
		c.Skipped, problem.Type = problem, ""
		return
	}
	c.Out = newJUnitText("decided " + decided(v))
}

func (c *junitCase) place(r diag.Range) {
	if r.IsZero() {
		return
	}
	c.File, c.Line = r.Source.Name(), r.Position().Line
}

// explained is the evidence as the text report shows it.
func (j *junit) explained(s scene, v *assertions.Verdict) string {
	p := j.fresh()
	p.block(s, v)
	return p.String()
}

func (j *junit) fresh() *page { return newPage(j.settings) }

// runSuite holds the steps, and whether anything was judged at all.
func (j *junit) runSuite(r *run.Result) junitSuite {
	s := junitSuite{Name: "run", Time: seconds(r.Duration)}
	for _, step := range r.Steps {
		c := junitCase{Class: "run", Name: step.Kind.String() + " " + step.Name, Time: seconds(step.Duration)}
		if step.Failed() {
			c.Error = &junitProblem{Message: stepEnd(step), Type: step.Kind.String(), Text: xmlSafe(withoutColor(strings.Join(step.Output, "\n")))}
		}
		s.Cases = append(s.Cases, c)
	}
	if expectedMore(r) {
		p := j.fresh()
		p.arrived(r)
		s.Out = newJUnitText(p.String())
	}
	if r.Tally(false).Judged() == 0 {
		s.Cases = append(s.Cases, junitCase{Class: "run", Name: "something is judged", Time: seconds(0),
			Error: &junitProblem{Message: "nothing was judged", Type: "empty"}})
	}
	if r.Ended == run.EndedByInterrupt {
		s.Cases = append(s.Cases, junitCase{Class: "run", Name: "the run is complete", Time: seconds(r.Duration),
			Error: &junitProblem{Message: "the run was interrupted", Type: "interrupt"}})
	}
	return s
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
