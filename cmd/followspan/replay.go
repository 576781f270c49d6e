package main

import (
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
func checkBundle(ctx context.Context, c *cobra.Command, flags checkFlags, path string, reports []reportFile) error {
	view := newView(c.ErrOrStderr(), flags.verbose)
	next, stop := iter.Pull(bundleLines(ctx, path))
	defer stop()
	var head bundleHead
	if err := readLine(next, &head); err != nil {
		return err
	}
	inputs, st, absence, err := head.open(c.ErrOrStderr(), path)
	if err != nil {
		return err
	}
	result, err := run.Replay(run.ReplaySettings{Inputs: inputs, Store: st, Require: absence, Next: func() (run.Entry, error) {
		line, ok := next()
		if cut := (*recording.Error)(nil); errors.As(line.err, &cut) {
			view.hint(cut.Error() + "; what is before that is judged")
			ok = false
		}
		if !ok {
			return run.Entry{}, io.EOF
		}
		e := run.Entry{Spans: line.spans}
		if line.err != nil {
			return e, line.err
		}
		if err := json.Unmarshal(line.data, &e); err != nil {
			return e, fmt.Errorf("an entry of the journal: %w", err)
		}
		return e, nil
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var was bundleResult
	if err := readLine(next, &was); err == nil {
		compareResults(view, head, was, newBundleResult(result))
	}
	return write(c.OutOrStdout(), result, flags.judgeFlags, reports)
}

// bundleLines reads a bundle. An error is the last line.
func bundleLines(ctx context.Context, path string) iter.Seq[bundleLine] {
	return func(yield func(bundleLine) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(bundleLine{err: err})
			return
		}
		defer file.Close()
		enough := errors.New("enough was read")
		_, err = recording.ReadBundle(ctx, path, file, func(data json.RawMessage, spans []trace.Span) error {
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
	// The memory for spans needs no limit: what exceeded it in the run was refused.
	settings := store.Settings{Bytes: math.MaxInt64, RunID: h.Context.ID}
	traceID, _ := hex.DecodeString(h.Context.TraceID)
	spanID, _ := hex.DecodeString(h.Context.SpanID)
	if copy(settings.RunTrace[:], traceID) != len(settings.RunTrace) || copy(settings.RunSpan[:], spanID) != len(settings.RunSpan) {
		return nil, nil, absence, fmt.Errorf("%s: the bundle does not say in which trace it ran", path)
	}
	return inputs, store.New(run.Memberships(inputs), settings), absence, nil
}

// compareResults says if the run found something else, as another version of
// followspan may have.
func compareResults(view *view, head bundleHead, was, is bundleResult) {
	differ := max(len(was.Verdicts), len(is.Verdicts))
	for i := range min(len(was.Verdicts), len(is.Verdicts)) {
		if was.Verdicts[i] == is.Verdicts[i] {
			differ--
		}
	}
	if differ > 0 {
		view.hint(fmt.Sprintf("%s differ from the run's, which followspan %s judged", count(differ, "verdict"), head.Version))
	}
}

// isBundle reports whether the first file is a run bundle.
func isBundle(files []string) (bool, error) {
	ok, err := recording.IsBundle(files[0])
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s: no such file", files[0])
	}
	return ok, err
}
