package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/otlp"
	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/internal/watch"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// showFlags are the flags of show.
type showFlags struct {
	readFlags
	where   string
	format  string
	verbose bool
}

func newShow() *cobra.Command {
	var flags showFlags
	c := &cobra.Command{
		Use:                   "show PATH [TRACE] [flags]",
		DisableFlagsInUseLine: true,
		Short:                 "Look at recorded traces",
		Long: `show lists the traces of a recording, or draws one of them over time: its spans
below what caused them, with what was waited for (the critical path), errors, what
is missing, and the times in which nothing ran. PATH is what followspan check takes;
of TRACE, an id, the first digits suffice.

Exit codes: 0 it was shown, 2 a bad file or command line, or no such trace,
3 could not run.`,
		Example: `  followspan show traces.jsonl
  followspan show traces.jsonl 4bf92f35
  followspan show recorded/ --where 'service == "payment" and status == "error"'
  followspan show traces.jsonl 4bf92f35 --format sequence`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) < 1:
				return errors.New("show needs a recording: followspan show PATH [TRACE]")
			case len(args) > 2:
				return fmt.Errorf("show takes one path and one trace, and here are %d words: of several files give their directory, or a pattern in quotes", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return show(c, flags, args[0], strings.Join(args[1:], ""))
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&flags.where, "where", "", "only traces with a span that satisfies this `selector`; of one trace, these spans are marked")
	f.StringVar(&flags.format, "format", "text", "`text`, json, otlp (OTLP JSON), or sequence (a Mermaid diagram of one trace)")
	flags.bind(f, "leave out what cannot be understood, and count it")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "fold nothing and show every span")
	return c
}

// shown is a trace, and which of its spans the selector chose.
type shown struct {
	flow   trace.Flow
	marked []trace.Node
}

func show(c *cobra.Command, flags showFlags, path, id string) error {
	if !slices.Contains([]string{"text", "json", "otlp", "sequence"}, flags.format) {
		return fmt.Errorf("--format %s: want text, json, otlp or sequence", flags.format)
	}
	limits, err := flags.limits()
	if err != nil {
		return err
	}
	selector, err := compileWhere(c.ErrOrStderr(), flags.where)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	collectEarly(recordedGarbage)
	spans := store.New([]trace.Membership{watch.Membership}, run.RecordedStore(limits.memory))
	from := traces{paths: []string{path}, lenient: flags.lenient, maxRecord: limits.record, stdin: c.InOrStdin(), view: newView(c.ErrOrStderr(), flags.verbose)}
	err = from.read(ctx, func(b trace.Batch) error { return run.Record(ctx, spans, b) })
	switch {
	case errors.Is(err, store.ErrFull):
		return tooFull(c.ErrOrStderr(), flags.memory, spans)
	case err != nil && ctx.Err() == nil:
		return err
	}
	if ctx.Err() != nil {
		from.view.hint("interrupted: this is what was read before")
	}
	stop() // from here on nothing is left to be saved
	all := closeTraces(spans)
	chosen, err := choose(all, id)
	if err == nil && selector != nil {
		chosen, err = matching(chosen, selector, id != "")
	}
	if err != nil {
		return err
	}
	switch {
	case len(chosen) == 0:
		c.PrintErrln("no trace to show")
		return nil
	case flags.format == "sequence" && len(chosen) > 1:
		return fmt.Errorf("--format sequence shows one trace, and these are %d: give an id", len(chosen))
	}
	if err := present(c.OutOrStdout(), chosen, id != "", flags); err != nil {
		return cannotRun{err}
	}
	return nil
}

func tooFull(stderr io.Writer, memory string, spans *store.Store) error {
	fmt.Fprintf(stderr, "followspan: %s of memory for spans is used up after %d spans; raise it with --memory\n", memory, spans.Stats().Spans)
	return exitError(run.ExitCannotRun)
}

func compileWhere(stderr io.Writer, where string) (*assertions.Selector, error) {
	if where == "" {
		return nil, nil
	}
	selector, problems := assertions.CompileSelector(diag.NewSource("--where", where))
	fmt.Fprint(stderr, diagStyle(textSettings(stderr, os.Getenv)).RenderAll(problems))
	if selector == nil {
		return nil, exitError(run.ExitBadInput)
	}
	return selector, nil
}

// closeTraces returns all traces by their start.
func closeTraces(spans *store.Store) (all []shown) {
	spans.Close(trace.ByEndOfRecording)
	for {
		f, err := spans.Next(context.Background())
		if err != nil {
			break // the store is closed
		}
		all = append(all, shown{flow: f})
	}
	began := map[*trace.FlowRecord]trace.Time{}
	for _, s := range all {
		began[s.flow.FlowRecord] = report.Began(s.flow)
	}
	slices.SortStableFunc(all, func(a, b shown) int {
		return cmp.Or(cmp.Compare(began[a.flow.FlowRecord], began[b.flow.FlowRecord]), bytes.Compare(a.flow.TraceID[:], b.flow.TraceID[:]))
	})
	return all
}

// choose returns the trace that an id, or the beginning of one, means; all without one.
func choose(all []shown, id string) ([]shown, error) {
	digits := strings.ToLower(id)
	if id == "" {
		return all, nil
	}
	if len(digits) > 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		message := fmt.Sprintf("%q is no trace id: it has 32 hexadecimal digits, of which the first suffice", id)
		if _, err := os.Stat(id); err == nil {
			message += "; to show several files give their directory, or a pattern in quotes"
		}
		return nil, errors.New(message)
	}
	var found []shown
	for _, s := range all {
		full := s.flow.TraceID.String()
		if strings.HasPrefix(full, digits) || significant(digits) != "" && strings.HasPrefix(significant(full), significant(digits)) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		return found, nil
	case 0:
		if len(all) == 0 {
			return nil, fmt.Errorf("no trace begins with %s: there is none", id)
		}
		return nil, fmt.Errorf("no trace begins with %s; without an id followspan show lists all %d", id, len(all))
	}
	const most = 3
	var ids []string
	for _, s := range found[:min(len(found), most)] {
		ids = append(ids, s.flow.TraceID.String())
	}
	if len(found) > most {
		ids = append(ids, "…")
	}
	return nil, fmt.Errorf("%d traces begin with %s: give more digits, as of %s", len(found), id, strings.Join(ids, ", "))
}

// significant are the digits of an id without the zeros that a shorter id is
// written with.
func significant(digits string) string { return strings.TrimLeft(digits, "0") }

// matching keeps the traces of which the selector chooses a span, or marks what it
// chooses in the one that is wanted in any case, and in what that led to.
func matching(all []shown, selector *assertions.Selector, one bool) (out []shown, err error) {
	for _, s := range all {
		for i := range s.flow.Len() {
			n := s.flow.Member(i)
			if !one && s.flow.Span(n).TraceID() != s.flow.TraceID {
				continue
			}
			ok, err := selector.Matches(s.flow, n)
			if err != nil {
				return nil, fmt.Errorf("--where: of span %s: %w", s.flow.Span(n).ID(), err)
			}
			if ok {
				s.marked = append(s.marked, n)
			}
		}
		if one || len(s.marked) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// present writes the traces, one of them in full.
func present(w io.Writer, all []shown, one bool, flags showFlags) error {
	settings := textSettings(w, os.Getenv)
	settings.Verbose = flags.verbose
	if flags.format == "json" || flags.format == "otlp" {
		w = jsonWriter{w}
	}
	switch {
	case flags.format == "sequence":
		return report.Sequence(w, all[0].flow, settings)
	case flags.format == "otlp":
		return presentOTLP(w, all)
	case flags.format == "json" && one:
		return report.TraceJSON(w, all[0].flow, all[0].marked)
	case one:
		return report.Waterfall(w, all[0].flow, all[0].marked, settings)
	}
	settings.Digits = digits(all)
	for _, s := range all {
		if flags.format == "json" {
			if err := report.TraceJSONLine(w, s.flow); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintln(w, report.TraceLine(s.flow, 0, settings)); err != nil {
			return err
		}
	}
	return nil
}

// jsonWriter writes JSON, each time whole values, that is safe for a terminal.
type jsonWriter struct{ io.Writer }

func (w jsonWriter) Write(p []byte) (int, error) {
	_, err := w.Writer.Write(diag.CleanJSON(p))
	return len(p), err
}

// digits is how many digits tell the ids of the traces apart.
func digits(all []shown) int {
	const least, most, more = 8, 32, 4
	n := least
	for ; n < most; n += more {
		seen := map[string]bool{}
		for _, s := range all {
			seen[s.flow.TraceID.Digits(n)] = true
		}
		if len(seen) == len(all) {
			break
		}
	}
	return n
}

// presentOTLP writes one line of OTLP JSON for each trace, its own spans alone.
func presentOTLP(w io.Writer, all []shown) error {
	for _, s := range all {
		var spans []trace.Span
		for i := range s.flow.Len() {
			if span := s.flow.Span(s.flow.Member(i)); span.TraceID() == s.flow.TraceID {
				spans = append(spans, span)
			}
		}
		body, err := otlp.EncodeJSON(spans)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(body, '\n')); err != nil {
			return err
		}
	}
	return nil
}
