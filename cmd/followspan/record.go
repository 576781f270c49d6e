package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// recordFlags are the flags of record.
type recordFlags struct {
	output      string
	endpoint    endpointFlags
	quiet       time.Duration
	exportBatch int
}

func newRecord() *cobra.Command {
	var flags recordFlags
	c := &cobra.Command{
		Use:                   "record -o FILE [flags] [-- COMMAND [ARG...]]",
		DisableFlagsInUseLine: true,
		Short:                 "Record the spans that arrive in a file",
		Long: `record is an OTLP endpoint that writes the spans that arrive to a file: as OTLP
JSON, one request a line, or, if its name ends in .pb, .binpb or .proto, as OTLP
protobuf with the length of each request before it. .gz or .zst behind that
compresses it. followspan check and show read it, and so do tools that read what the
OpenTelemetry Collector's file exporter writes.

Behind -- stands a command: it is run with the endpoint in its environment, reads the
standard input unless that is a terminal, and the recording ends when it has ended and
nothing more arrives. Without a command Ctrl-C ends it.

Exit codes: 0 it was recorded, 1 the command failed, 2 a bad command line, 3 could
not listen, write or start the command.`,
		Example: `  followspan record -o traces.jsonl -- go test ./e2e/...
  followspan record -o traces.binpb.gz --listen-grpc 0.0.0.0:4317`,
		Args: func(c *cobra.Command, args []string) error {
			switch n := c.ArgsLenAtDash(); {
			case flags.output == "":
				return errors.New("record needs a file to write: followspan record -o FILE [-- COMMAND]")
			case flags.output == recording.Stdin:
				return errors.New("-o -: a recording is a file, since the command writes to the standard output")
			case n < 0 && len(args) > 0 || n > 0:
				return fmt.Errorf("%q: a command stands behind --: followspan record -o FILE -- COMMAND", args[0])
			case n == 0 && len(args) == 0:
				return errors.New("no command stands behind --")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return record(c, flags, args) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&flags.output, "output", "o", "", "the `file` to write; one that exists is replaced once spans arrive or the recording ends")
	f.DurationVar(&flags.quiet, "quiet", time.Second, "how long nothing must arrive after the command has ended")
	f.IntVar(&flags.exportBatch, "export-batch", 1, "how many spans the SDKs of the command send at once; more for heavy loads")
	flags.endpoint.bind(f)
	return c
}

func record(c *cobra.Command, flags recordFlags, command []string) error {
	if len(command) > 0 {
		flags.freePorts(c)
	}
	settings, err := flags.endpoint.settings()
	switch {
	case err != nil:
		return err
	case flags.exportBatch < 1:
		return fmt.Errorf("--export-batch %d: want at least 1", flags.exportBatch)
	case flags.quiet < 0:
		return fmt.Errorf("--quiet %v: want a duration such as 1s", flags.quiet)
	}
	view := newView(c.ErrOrStderr(), false)
	settings.Warn = view.hint
	if info, err := os.Stat(flags.output); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		view.line("waiting for somebody to read " + flags.output)
	}
	file, err := replaceFile(flags.output) // before signals are caught: while it waits, one ends the program
	if err != nil {
		return cannotRun{err}
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err = recordTo(ctx, c.OutOrStdout(), file, flags, settings, view, command)
	if err = errors.Join(err, file.Close()); err != nil {
		return cannotRun{err}
	}
	return nil
}

// freePorts takes any port where a command is told which, unless one is asked for.
func (f *recordFlags) freePorts(c *cobra.Command) {
	if !c.Flags().Changed("listen-grpc") {
		f.endpoint.grpc = receiver.DefaultAddress
	}
	if !c.Flags().Changed("listen-http") {
		f.endpoint.http = receiver.DefaultAddress
	}
}

// taker writes what arrives, and knows when that was last.
type taker struct {
	*recording.Writer
	news  atomic.Int64 // nanoseconds since 1970
	broke context.CancelCauseFunc
}

// Consume makes a taker a sink. When the file takes no more, nothing does.
func (t *taker) Consume(_ context.Context, b trace.Batch) error {
	t.news.Store(time.Now().UnixNano())
	err := t.Write(b)
	if err != nil {
		t.broke(err)
	}
	return err
}

func recordTo(ctx context.Context, stdout io.Writer, file *replacement, flags recordFlags, settings receiver.Settings, view *view, command []string) error {
	writer, err := recording.NewWriter(flags.output, file)
	if err != nil {
		return err
	}
	ctx, broke := context.WithCancelCause(ctx)
	defer broke(nil)
	t := &taker{Writer: writer, broke: broke}
	server, err := receiver.Start(ctx, settings, t)
	if err != nil {
		return err
	}
	var failed error
	if len(command) > 0 {
		failed = t.command(ctx, stdout, flags, server, view, command)
		if exit := exitError(0); failed != nil && !errors.As(failed, &exit) {
			return errors.Join(failed, server.Shutdown(context.WithoutCancel(ctx))) // it did not start
		}
	} else {
		view.line(introduction(server, flags.endpoint.setup(server)))
		<-ctx.Done()
	}
	err = errors.Join(server.Shutdown(context.WithoutCancel(ctx)), writer.Close(), file.begin())
	if err != nil {
		return err
	}
	stats := server.Stats()
	view.line(fmt.Sprintf("recorded %s in %s: %s", count(writer.Spans(), "span"), count(int(stats.Requests), "request"), flags.output))
	if writer.Spans() == 0 && failed == nil && len(command) > 0 {
		view.hint("no span arrived: does the command export OTLP, to the endpoint in OTEL_EXPORTER_OTLP_ENDPOINT, before it ends?")
	}
	for _, r := range stats.Refused {
		loss := refusal(r)
		view.hint(fmt.Sprintf("%s: %d", loss.What, loss.Count))
	}
	return failed
}

// mostSettling is how long spans may go on to arrive after the command has ended.
const mostSettling = 30 * time.Second

// command runs a command and waits until nothing more arrives.
func (t *taker) command(ctx context.Context, stdout io.Writer, flags recordFlags, server *receiver.Server, view *view, argv []string) error {
	c := run.Command{Argv: argv, Input: ownInput(), Lines: func(line string) { fmt.Fprintln(stdout, line) }}
	var warnings []string
	c.Env, warnings = run.ChildEnv(os.Environ(), nil, run.Telemetry{Endpoint: server.GRPCEndpoint(), ExportBatch: flags.exportBatch})
	for _, w := range warnings {
		view.hint(w)
	}
	child, err := run.StartChild(c, run.SystemClock{})
	if err != nil {
		return err
	}
	t.news.Store(time.Now().UnixNano())
	select {
	case <-child.Done():
	case <-ctx.Done():
		child.Stop()
	}
	if step := child.Step(run.StepCommand); step.Failed() {
		view.line("the command failed: " + step.Err)
		err = exitError(run.ExitFailed)
	}
	t.settle(ctx, flags.quiet)
	return err
}

// settle waits until nothing has arrived for a while.
func (t *taker) settle(ctx context.Context, quiet time.Duration) {
	ended := time.Now()
	for {
		since := time.Since(later(time.Unix(0, t.news.Load()), ended))
		if since >= quiet || time.Since(ended) >= mostSettling {
			return
		}
		select {
		case <-time.After(quiet - since):
		case <-ctx.Done():
			return
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
