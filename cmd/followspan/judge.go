package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
)

// judgeFlags are the flags of every command that judges flows.
type judgeFlags struct {
	params  []string
	flows   []string
	reports []string
	strict  bool
	verbose bool
}

// bindFlows binds the flags that say what is judged and where it is told.
func (j *judgeFlags) bindFlows(f *pflag.FlagSet) {
	f.StringArrayVarP(&j.params, "param", "p", nil, "set a param of the flow files: `name=value`; repeatable")
	f.StringArrayVar(&j.flows, "flow", nil, "judge only the flow of this `name`; repeatable")
	f.StringArrayVar(&j.reports, "report", nil, "also write a report: `junit=PATH`; repeatable")
}

// bindVerdicts binds the flags that say how the verdicts are told.
func (j *judgeFlags) bindVerdicts(f *pflag.FlagSet, verbose string) {
	f.BoolVar(&j.strict, "strict", false, "let failed assertions of severity warn fail the run")
	f.BoolVarP(&j.verbose, "verbose", "v", false, verbose)
}

// write prints the report, writes the others, and ends with the run's exit code. A
// report that cannot be written takes none of the others away.
func write(stdout io.Writer, result *run.Result, flags judgeFlags, reports []reportFile) error {
	s := textSettings(stdout, os.Getenv)
	s.Verbose, s.Strict = flags.verbose, flags.strict
	err := report.Text(stdout, result, s)
	if err != nil {
		err = fmt.Errorf("write the report: %w", err)
	}
	for _, r := range reports {
		err = errors.Join(err, r.write(result, flags))
	}
	if err != nil {
		return cannotRun{err}
	}
	if code := result.ExitCode(flags.strict); code != run.ExitPassed {
		return exitError(code)
	}
	return nil
}

// reportFile is a report that is written beside the text.
type reportFile struct{ format, path string }

// parseReports reads the flags. What is read is not to be replaced by a report.
func parseReports(flags, inputs []string) (all []reportFile, err error) {
	for _, f := range flags {
		format, path, ok := strings.Cut(f, "=")
		if !ok || path == "" || format != "junit" {
			return nil, fmt.Errorf("--report %s: want junit=PATH", f)
		}
		if err := spare(path, inputs); err != nil {
			return nil, fmt.Errorf("--report %s: %w", f, err)
		}
		all = append(all, reportFile{format, path})
	}
	return all, nil
}

// spare reports an error if to write a file would take away one that is read.
func spare(path string, inputs []string) error {
	file, err := os.Stat(path)
	if err != nil || !file.Mode().IsRegular() {
		return nil // There is nothing to take away.
	}
	for _, input := range inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(file, other) {
			return fmt.Errorf("this would replace %s, which is read", input)
		}
	}
	return nil
}

func (r reportFile) write(result *run.Result, flags judgeFlags) (err error) {
	f, err := os.Create(r.path)
	if err != nil {
		return fmt.Errorf("--report %s: %w", r.format, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return report.JUnit(f, result, report.JUnitSettings{Strict: flags.strict})
}
