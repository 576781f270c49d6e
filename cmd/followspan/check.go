package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/store"
)

// checkFlags are the flags of check.
type checkFlags struct {
	judgeFlags
	readFlags
	traces []string
}

func newCheck() *cobra.Command {
	var flags checkFlags
	c := &cobra.Command{
		Use:                   "check FILE... --traces PATH... [flags] | check BUNDLE [flags]",
		DisableFlagsInUseLine: true,
		Short:                 "Judge recorded traces",
		Long: `check judges recorded traces by flow files, with the verdicts of run. PATH is a
file, a directory, a pattern, or - for the standard input: OTLP as JSON or
protobuf (as the Collector's file exporter writes it, or one document), Jaeger's
JSON or Zipkin's (version 2), also in gzip or zstd. Its kind is told by its content.

Nothing is waited for: when the recordings end every flow closes. What is required
and missing fails; what must not be there passes only if nothing seems to be
missing from the recording.

BUNDLE is what run --bundle kept: its verdicts come again, each decided by the same
span at the same time. As a PATH it is a recording like any other.

Exit codes: 0 everything passed, 1 something failed or is an error, 2 a bad file or
command line, 3 could not run, 4 nothing failed but something is inconclusive.`,
		Example: `  followspan check checkout.flow.yaml --traces traces.jsonl
  followspan check checkout.flow.yaml --traces 'recorded/*.json.gz' --report junit=report.xml
  followspan check run.followspan
  kubectl exec collector -- cat /traces.jsonl | followspan check checkout.flow.yaml --traces -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 1 && len(flags.traces) == 0 {
				return needsTraces(args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return check(c, flags, args) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&flags.traces, "traces", "t", nil, "recorded traces: the `path` of a file, a directory or a pattern, or -; repeatable")
	flags.bindFlows(f)
	flags.bind(f, "leave out what cannot be understood in a recording, and count it; what rests on an absence is inconclusive then")
	flags.bindVerdicts(f, "leave nothing out of the report")
	return c
}

// needsTraces says what a command line without --traces lacks.
func needsTraces(files []string) error {
	flows, traces := "", ""
	for _, path := range files {
		if ok, err := recording.IsRecording(path); err == nil && ok {
			traces += " --traces " + path
		} else {
			flows += " " + path
		}
	}
	return errors.New("check needs a flow file and recorded traces, or the bundle of a run: followspan check" +
		cmp.Or(flows, " FILE...") + cmp.Or(traces, " --traces PATH"))
}

func check(c *cobra.Command, flags checkFlags, files []string) error {
	reports, err := parseReports(flags.reports, slices.Concat(files, flags.traces))
	if err != nil {
		return err
	}
	limits, err := flags.limits()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if len(flags.traces) == 0 {
		switch bundled, err := isBundle(files); {
		case err != nil:
			return err
		case !bundled:
			return needsTraces(files)
		case len(flags.params)+len(flags.flows) > 0:
			return errors.New("a bundle is judged with the params and the flows of its run: leave out --param and --flow")
		}
		return checkBundle(ctx, c, flags, limits, files[0], reports)
	}
	inputs, err := load(c.ErrOrStderr(), files, flags.judgeFlags)
	if err != nil {
		return err
	}
	flows, err := run.RecordedMemberships(inputs)
	if err != nil {
		return err
	}
	collectEarly(recordedGarbage)
	spans := store.New(flows, run.RecordedStore(limits.memory))
	from := traces{paths: flags.traces, lenient: flags.lenient, maxRecord: limits.record, stdin: c.InOrStdin(), view: newView(c.ErrOrStderr(), flags.verbose)}
	result, err := run.Check(ctx, run.CheckSettings{Inputs: inputs, Store: spans, Read: from.read})
	switch {
	case errors.Is(err, store.ErrFull):
		return tooFull(c.ErrOrStderr(), flags.memory, spans)
	case err != nil:
		return err
	}
	return write(c.OutOrStdout(), result, flags.judgeFlags, reports)
}
