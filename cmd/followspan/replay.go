package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// bundleLine is a line of a run bundle.
type bundleLine struct {
	data  json.RawMessage
	spans []trace.Span
	err   error
}

// checkBundle judges the run again that a bundle holds.
func checkBundle(ctx context.Context, c *cobra.Command, flags checkFlags, limits readLimits, path string, reports []reportFile) error {
	p := &replayer{ctx: ctx, stderr: c.ErrOrStderr(), view: newView(c.ErrOrStderr(), flags.verbose), path: path, maxRecord: limits.record}
	result, err := p.replay(false)
	if errors.Is(err, run.ErrDiverged) {
		p.view.hint(fmt.Sprintf("followspan %s, which made this bundle, closed flows otherwise: they are judged by all that arrived", p.head.Version))
		result, err = p.replay(true)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(p.stderr, "followspan: interrupted")
		return exitError(run.ExitCannotRun)
	case errors.Is(err, recording.ErrTooLarge):
		return errors.New(explainFault(err))
	case err != nil:
		return err
	}
	flags.strict = flags.strict || p.head.Strict
	return write(c.OutOrStdout(), result, flags.judgeFlags, reports)
}

// replayer judges a bundle.
type replayer struct {
	ctx       context.Context
	stderr    io.Writer
	view      *view
	path      string
	maxRecord int64
	head      bundleHead
}

func (p *replayer) replay(loose bool) (*run.Result, error) {
	next, stop := iter.Pull(p.lines())
	defer stop()
	p.head = bundleHead{}
	if err := readLine(next, &p.head); err != nil {
		return nil, err
	}
	inputs, st, absence, err := p.head.open(p.stderr, p.path)
	if err != nil {
		return nil, err
	}
	result, err := run.Replay(run.ReplaySettings{Inputs: inputs, Store: st, Require: absence, Loose: loose, Next: func() (run.Entry, error) {
		return p.entry(next())
	}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	var was bundleResult
	if err := readLine(next, &was); err == nil {
		p.compare(was, newBundleResult(result))
	}
	return result, nil
}

// entry reads a line of the journal. Where the bundle was cut off it ends.
func (p *replayer) entry(line bundleLine, ok bool) (e run.Entry, err error) {
	if cut := (*recording.Error)(nil); errors.As(line.err, &cut) {
		p.view.hint(explainFault(cut) + "; what is before that is judged")
		ok = false
	}
	switch {
	case !ok:
		return e, io.EOF
	case line.err != nil:
		return e, line.err
	}
	if err := json.Unmarshal(line.data, &e); err != nil {
		return e, fmt.Errorf("an entry of the journal: %w", err)
	}
	e.Spans = line.spans
	return e, nil
}

// lines reads the bundle. An error is the last line.
func (p *replayer) lines() iter.Seq[bundleLine] {
	return func(yield func(bundleLine) bool) {
		file, err := os.Open(p.path)
		if err != nil {
			yield(bundleLine{err: err})
			return
		}
		defer file.Close()
		enough := errors.New("enough was read")
		_, err = recording.ReadBundle(p.ctx, p.path, file, p.maxRecord, func(data json.RawMessage, spans []trace.Span) error {
			if !yield(bundleLine{data, spans, nil}) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(bundleLine{err: err})
		}
	}
}

func readLine(next func() (bundleLine, bool), to any) error {
	line, ok := next()
	switch {
	case !ok:
		return io.ErrUnexpectedEOF
	case line.err != nil:
		return line.err
	}
	return json.Unmarshal(line.data, to)
}

// open loads the flow files of the bundle and makes a store like that of the run.
func (h *bundleHead) open(stderr io.Writer, path string) ([]run.Input, *store.Store, assertions.Grade, error) {
	absence := assertions.Quiet
	if h.Absence == assertions.Proved.String() {
		absence = assertions.Proved
	}
	if h.Bundle != bundleVersion {
		return nil, nil, absence, fmt.Errorf("%s: a bundle of version %d, written by followspan %s; this followspan reads version %d", path, h.Bundle, h.Version, bundleVersion)
	}
	inputs, err := compile(stderr, h.Files, judgeFlags{params: h.Params, flows: h.Only}, func(name string) (string, bool) {
		v, ok := h.Environment[name]
		return v, ok
	})
	if err != nil {
		return nil, nil, absence, err
	}
	// Spans need no limit: what exceeded it in the run was refused. But how much the store
	// remembers of what was refused, and of what made room, is a part of it.
	settings := store.Settings{Bytes: cmp.Or(h.Memory, math.MaxInt64), RunID: h.Context.ID}
	traceID, _ := hex.DecodeString(h.Context.TraceID)
	spanID, _ := hex.DecodeString(h.Context.SpanID)
	if copy(settings.RunTrace[:], traceID) != len(settings.RunTrace) || copy(settings.RunSpan[:], spanID) != len(settings.RunSpan) {
		return nil, nil, absence, fmt.Errorf("%s: the bundle does not say in which trace it ran", path)
	}
	return inputs, store.New(run.Memberships(inputs), settings), absence, nil
}

// compare says if the run found something else, as another version of followspan may
// have.
func (p *replayer) compare(was, is bundleResult) {
	differ := max(len(was.Verdicts), len(is.Verdicts))
	for i := range min(len(was.Verdicts), len(is.Verdicts)) {
		was.Verdicts[i].Why = is.Verdicts[i].Why // its words may change
		if was.Verdicts[i] == is.Verdicts[i] {
			differ--
		}
	}
	if differ > 0 {
		p.view.hint(fmt.Sprintf("%s other than those of the run, which followspan %s judged", count(differ, "verdict"), p.head.Version))
	}
}

// isBundle reports whether the first file is a run bundle.
func isBundle(files []string) (bool, error) {
	if info, err := os.Stat(files[0]); files[0] == recording.Stdin || err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return false, errors.New("a bundle is a file, since it may be read twice: followspan check BUNDLE; recorded traces may come from the standard input: followspan check FILE... --traces -")
	}
	ok, err := recording.IsBundle(files[0])
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s: no such file", files[0])
	}
	return ok, err
}
