package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
)

// load reads all flow files and says everything that is wrong with them.
func load(stderr io.Writer, paths []string, flags judgeFlags) ([]run.Input, error) {
	sources, err := readFlowFiles(paths)
	if err != nil {
		return nil, err
	}
	return compile(stderr, sources, flags, os.LookupEnv)
}

// flowSource is a flow file as it was written.
type flowSource struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

func readFlowFiles(paths []string) (sources []flowSource, err error) {
	for _, path := range paths {
		if ok, err := recording.IsRecording(path); err == nil && ok {
			return nil, fmt.Errorf("%s holds recorded traces, it is no flow file: followspan check FILE --traces %[1]s; a pattern of several stands in quotes", path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, explainRead(path, err)
		}
		sources = append(sources, flowSource{path, string(text)})
	}
	return sources, nil
}

// compile is load for files that were read.
func compile(stderr io.Writer, sources []flowSource, flags judgeFlags, getenv func(string) (string, bool)) ([]run.Input, error) {
	params, err := parseParams(flags.params)
	if err != nil {
		return nil, err
	}
	var inputs []run.Input
	var files []*assertions.File
	var problems diag.List
	for _, s := range sources {
		suite, found := assertions.Load(diag.NewSource(s.Path, s.Text), assertions.Options{
			Dir: filepath.Dir(s.Path), Params: params, Getenv: getenv,
		})
		problems = append(problems, found...)
		if suite != nil {
			inputs = append(inputs, run.Input{Suite: suite, Only: flags.flows})
			files = append(files, suite.File())
		}
	}
	if !problems.HasErrors() {
		problems = append(problems, assertions.CheckRun(files, params)...)
	}
	fmt.Fprint(stderr, diagStyle(textSettings(stderr, os.Getenv)).RenderAll(problems))
	if problems.HasErrors() {
		return nil, exitError(run.ExitBadInput)
	}
	return inputs, checkFlows(files, flags.flows)
}

func explainRead(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: no such file", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: this is a directory, and a flow file is wanted", path)
	}
	return fmt.Errorf("read the flow file: %w", err)
}

func parseParams(flags []string) (map[string]string, error) {
	params := map[string]string{}
	for _, f := range flags {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--param %s: want name=value", f)
		}
		params[name] = value
	}
	return params, nil
}

// checkFlows reports a --flow that no file declares.
func checkFlows(files []*assertions.File, wanted []string) error {
	var declared []string
	for _, f := range files {
		for _, flow := range f.Flows {
			declared = append(declared, flow.Name)
		}
	}
	for _, name := range wanted {
		if slices.Contains(declared, name) {
			continue
		}
		if near, ok := diag.Suggest(name, declared); ok {
			return fmt.Errorf("--flow %s: no file declares this flow, did you mean %s?", name, near)
		}
		return fmt.Errorf("--flow %s: no file declares this flow; there are: %s", name, strings.Join(declared, ", "))
	}
	return nil
}
