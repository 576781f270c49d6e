package main

import (
	"encoding/json"
	"io"

	"github.com/followspan/followspan/internal/diag"
)

// lintReport is the document of lint --json. Keys are only ever added to it.
type lintReport struct {
	Files    []fileReport    `json:"files"`
	Problems []problemReport `json:"problems"` // those of no file
}

type fileReport struct {
	Path       string          `json:"path"`
	OK         bool            `json:"ok"`
	Flows      int             `json:"flows"`
	Assertions int             `json:"assertions"`
	Problems   []problemReport `json:"problems"`
	Desugared  []meaningReport `json:"desugared,omitempty"`
}

type problemReport struct {
	Severity string       `json:"severity"`
	What     string       `json:"what"`
	Label    string       `json:"label,omitempty"`
	Range    *rangeReport `json:"range,omitempty"` // left out if the file as a whole is meant
	Also     []markReport `json:"also,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
	Try      []string     `json:"try,omitempty"`
}

type markReport struct {
	Range *rangeReport `json:"range,omitempty"`
	Label string       `json:"label"`
}

// rangeReport ends in front of End. Lines and columns start at 1; columns count runes.
type rangeReport struct {
	Start positionReport `json:"start"`
	End   positionReport `json:"end"`
}

type positionReport struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type meaningReport struct {
	Flow   string            `json:"flow"`
	Key    string            `json:"key"`
	Range  *rangeReport      `json:"range,omitempty"`
	Spans  []selectionReport `json:"spans,omitempty"`
	That   string            `json:"that"`
	Within string            `json:"within,omitempty"`
}

type selectionReport struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

func writeLintJSON(w io.Writer, files []lintedFile, general diag.List, desugar bool) error {
	report := lintReport{Problems: problemReports(general)}
	for _, f := range files {
		r := fileReport{Path: f.path, OK: f.suite != nil, Problems: problemReports(f.problems)}
		if f.suite != nil {
			r.Flows, r.Assertions = f.counts()
		}
		if f.suite != nil && desugar {
			r.Desugared = meaningReports(f)
		}
		report.Files = append(report.Files, r)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

func problemReports(problems diag.List) []problemReport {
	all := []problemReport{}
	for _, d := range problems {
		p := problemReport{Severity: d.Severity.String(), What: d.What, Label: d.Label, Range: reportRange(d.Range), Notes: d.Notes, Try: d.Try}
		for _, m := range d.Also {
			p.Also = append(p.Also, markReport{reportRange(m.Range), m.Label})
		}
		all = append(all, p)
	}
	return all
}

func meaningReports(f lintedFile) []meaningReport {
	var all []meaningReport
	for _, m := range f.suite.Meanings() {
		r := meaningReport{Flow: m.Flow, Key: m.Kind.String(), Range: reportRange(m.Range), That: m.That}
		for _, s := range m.Spans {
			r.Spans = append(r.Spans, selectionReport(s))
		}
		if m.Within > 0 {
			r.Within = m.Within.String()
		}
		all = append(all, r)
	}
	return all
}

// reportRange returns nil where there is no place to point to.
func reportRange(r diag.Range) *rangeReport {
	if r.IsZero() || r.IsWhole() {
		return nil
	}
	end := r.Source.Position(r.End)
	return &rangeReport{Start: positionReport(r.Position()), End: positionReport(end)}
}
