package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
)

// lintFlags are the flags of lint.
type lintFlags struct {
	params                 []string
	verbose, desugar, json bool
}

func newLint() *cobra.Command {
	var flags lintFlags
	c := &cobra.Command{
		Use:                   "lint FILE... [flags]",
		DisableFlagsInUseLine: true,
		Short:                 "Say what is wrong or odd about flow files, without running anything",
		Long: `lint reads flow files and says everything that is wrong with them. Of those that
are right it says what is odd: sets and params that nothing uses, flows without
assertions, times of two clocks that are compared as they are, and conditions that
hold for what is missing or can never hold. With --verbose, and with --json, it
also says which attributes are found under a former name too.

With --desugar it prints what arrows, sequences, only, never, each and when mean,
as plain expressions.

Exit codes: 0 every file is right, 2 a bad file or command line.`,
		Example: `  followspan lint *.flow.yaml
  followspan lint --desugar checkout.flow.yaml
  followspan lint --json checkout.flow.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("lint needs a flow file: followspan lint FILE...")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return lint(c.OutOrStdout(), flags, args) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&flags.params, "param", "p", nil, "set a param of the flow files: `name=value`; repeatable")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "say what is worth knowing, too, though nothing is wrong or odd")
	f.BoolVar(&flags.desugar, "desugar", false, "print what arrows and the like mean as plain expressions")
	f.BoolVar(&flags.json, "json", false, "print one JSON document, for programs")
	return c
}

// lintedFile is what lint found out about one file.
type lintedFile struct {
	path     string
	suite    *assertions.Suite // nil if the file is bad
	problems diag.List
}

func lint(w io.Writer, flags lintFlags, paths []string) error {
	params, err := parseParams(flags.params)
	if err != nil {
		return err
	}
	files, general := lintFiles(paths, params)
	if flags.json {
		err = writeLintJSON(w, files, general, flags.desugar)
	} else {
		err = writeLintText(w, files, general, flags)
	}
	switch bad := func(f lintedFile) bool { return f.suite == nil }; {
	case err != nil:
		return fmt.Errorf("write what lint found: %w", err)
	case slices.ContainsFunc(files, bad) || general.HasErrors():
		return exitError(run.ExitBadInput)
	}
	return nil
}

// lintFiles reads all files. What is general belongs to no single file.
func lintFiles(paths []string, params map[string]string) (files []lintedFile, general diag.List) {
	var right []*assertions.File
	for _, path := range paths {
		f := lintFile(path, params)
		if f.suite != nil {
			right = append(right, f.suite.File())
		}
		files = append(files, f)
	}
	if len(right) < len(files) {
		return files, nil // what the bad files declare is not known
	}
	for _, d := range assertions.LintRun(right, params) {
		i := slices.IndexFunc(right, func(f *assertions.File) bool { return f.Source == d.Range.Source })
		if i < 0 {
			general = append(general, d)
			continue
		}
		files[i].problems = append(files[i].problems, d).Sorted()
	}
	return files, general
}

func lintFile(path string, params map[string]string) lintedFile {
	text, err := os.ReadFile(path)
	if err != nil {
		return lintedFile{path: path, problems: diag.List{unreadable(path, err)}}
	}
	suite, problems := assertions.Load(diag.NewSource(path, string(text)), assertions.Options{
		Dir: filepath.Dir(path), Params: params, Getenv: os.LookupEnv,
	})
	if suite != nil {
		problems = append(problems, suite.Lint()...).Sorted()
	}
	return lintedFile{path, suite, problems}
}

func unreadable(path string, err error) diag.Diagnostic {
	label := err.Error()
	if errors.Is(err, os.ErrNotExist) {
		label = "no such file"
	}
	return diag.Diagnostic{Severity: diag.Error, What: "cannot read the file", Range: diag.NewSource(path, "").Whole(), Label: label}
}

func writeLintText(w io.Writer, files []lintedFile, general diag.List, flags lintFlags) error {
	style := diagStyle(textSettings(w, os.Getenv))
	var b strings.Builder
	add := func(text string) {
		if b.Len() > 0 && text != "" {
			b.WriteByte('\n')
		}
		b.WriteString(text)
	}
	add(style.RenderAll(general))
	for _, f := range files {
		said := f.problems
		if !flags.verbose {
			said = slices.DeleteFunc(slices.Clone(said), func(d diag.Diagnostic) bool { return d.Severity == diag.Note })
		}
		add(style.RenderAll(said))
		if f.suite == nil {
			continue
		}
		if flags.desugar {
			add(style.Clean(desugared(f.suite)))
		}
		if len(said) > 0 || flags.desugar {
			b.WriteByte('\n')
		}
		b.WriteString(style.Clean(fmt.Sprintf("ok: %s: %s\n", f.path, strings.Join(f.summary(), ", "))))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// summary counts what the file has: "2 flows", "31 assertions".
func (f lintedFile) summary() []string {
	flows, count := f.counts()
	var parts []string
	if flows > 0 {
		parts = append(parts, plural(flows, "flow"))
	}
	if f.suite.File().Invariants != nil {
		parts = append(parts, "invariants")
	}
	parts = append(parts, plural(count, "assertion"))
	warnings := 0
	for _, d := range f.problems {
		if d.Severity == diag.Warning {
			warnings++
		}
	}
	if warnings > 0 {
		parts = append(parts, plural(warnings, "warning"))
	}
	return parts
}

func (f lintedFile) counts() (flows, count int) {
	for _, flow := range f.suite.Flows() {
		count += len(flow.Assertions)
		if flow.Decl.Across != nil {
			count += len(flow.Decl.Across.Expect)
		}
	}
	return len(f.suite.File().Flows), count
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// desugared has a line for each selector and each expression that the sugar of a suite means.
func desugared(suite *assertions.Suite) string {
	var b strings.Builder
	for _, m := range suite.Meanings() {
		where := fmt.Sprintf("%s:%d", m.Range.Source.Name(), m.Range.Position().Line)
		for _, s := range m.Spans {
			fmt.Fprintf(&b, "%s: spans:  %s: %s\n", where, s.Name, s.Source)
		}
		fmt.Fprintf(&b, "%s: expect: %s", where, m.That)
		if m.Within > 0 {
			fmt.Fprintf(&b, " (within: %s)", m.Within)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
