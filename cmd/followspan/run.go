package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/internal/run/grpctrigger"
	"github.com/followspan/followspan/internal/web"
	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// runFlags are the flags of run.
type runFlags struct {
	judgeFlags
	grpc, http  string
	memory      string
	maxRequest  string
	exportBatch int
	absence     string
	bundle      bundleFlags
}

func newRun() *cobra.Command {
	var flags runFlags
	c := &cobra.Command{
		Use:                   "run FILE... [flags] [-- COMMAND [ARG...]]",
		DisableFlagsInUseLine: true,
		Short:                 "Make flows happen, receive their spans and judge them",
		Long: `run starts the system that the flow files declare, pulls their triggers, receives
the spans over OTLP and judges the flows. It ends the moment every verdict is
certain, or at the deadline.

Behind -- stands any command, such as a test suite: it is run with the OTLP
endpoint in its environment, reads the standard input unless that is a terminal,
and then the flows that it made happen are judged.

Exit codes: 0 everything passed, 1 something failed or is an error (the command
and the triggers included), 2 a bad file or command line, 3 could not run,
4 nothing failed but something is inconclusive.`,
		Example: `  followspan run checkout.flow.yaml
  followspan run checkout.flow.yaml --param fault=slow-email
  followspan run --report junit=report.xml checkout.flow.yaml -- go test ./e2e/...`,
		Args: func(c *cobra.Command, args []string) error {
			if n := c.ArgsLenAtDash(); n == 0 || len(args) == 0 {
				return errors.New("run needs a flow file: followspan run FILE... [-- COMMAND]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			files, command := args, []string(nil)
			if n := c.ArgsLenAtDash(); n >= 0 {
				files, command = args[:n], args[n:]
			}
			return runFiles(c, flags, files, command)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	flags.bindFlows(f)
	f.StringVar(&flags.grpc, "listen-grpc", receiver.DefaultAddress, "`address` for OTLP, meant for gRPC (both ports take both protocols)")
	f.StringVar(&flags.http, "listen-http", receiver.DefaultAddress, "`address` for OTLP, meant for HTTP")
	f.IntVar(&flags.exportBatch, "export-batch", 1, "how many spans the SDKs of children send at once; more for heavy loads")
	f.StringVar(&flags.memory, "memory", formatSize(store.DefaultBytes), "how much memory spans may take; exporters are told to retry beyond it")
	f.StringVar(&flags.maxRequest, "max-request", formatSize(receiver.DefaultMaxRequestBytes), "the largest OTLP request, after decompression")
	f.StringVar(&flags.absence, "require-absence", "quiet", "how well an absence must be known to pass: `quiet`, or proved")
	flags.bundle.bind(f)
	flags.bindVerdicts(f, "show all output of the system and the command, and leave nothing out of the report")
	return c
}

// runFiles makes one run. What could not be read or bound is said here; everything
// else is in the report.
func runFiles(c *cobra.Command, flags runFlags, files, command []string) error {
	reports, err := parseReports(flags.reports, files)
	if err != nil {
		return err
	}
	limits, err := flags.limits()
	if err != nil {
		return err
	}
	if err := flags.bundle.check(files); err != nil {
		return err
	}
	sources, err := readFlowFiles(files)
	if err != nil {
		return err
	}
	env := environment{}
	inputs, err := compile(c.ErrOrStderr(), sources, flags.judgeFlags, env.lookup)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	result, err := judge(ctx, c.ErrOrStderr(), flags, limits, inputs, command, bundleHead{Files: sources, Environment: env})
	if err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "followspan: %v\n", err)
	}
	if result == nil {
		return exitError(run.ExitCannotRun)
	}
	verdict := write(c.OutOrStdout(), result, flags.judgeFlags, reports)
	if verdict == nil && err != nil {
		return exitError(run.ExitCannotRun)
	}
	return verdict
}

// environment remembers the variables that were looked up and found.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	v, ok := os.LookupEnv(name)
	if ok {
		e[name] = v
	}
	return v, ok
}

// limits are the flags that had to be parsed.
type limits struct {
	memory, request int64 // bytes
	absence         assertions.Grade
}

func (f runFlags) limits() (l limits, err error) {
	if l.memory, err = parseMemory(f.memory); err != nil {
		return l, err
	}
	if l.request, err = parseSize(f.maxRequest); err != nil {
		return l, fmt.Errorf("--max-request: %w", err)
	}
	switch f.absence {
	case "quiet":
		l.absence = assertions.Quiet
	case "proved":
		l.absence = assertions.Proved
	default:
		return l, fmt.Errorf("--require-absence %s: want quiet or proved", f.absence)
	}
	if f.exportBatch < 1 {
		return l, fmt.Errorf("--export-batch %d: want at least 1", f.exportBatch)
	}
	return l, nil
}

// judge wires store, receiver and run. There may be both a result and an error: that
// it could not be kept.
func judge(ctx context.Context, stderr io.Writer, flags runFlags, l limits, inputs []run.Input, command []string, head bundleHead) (*run.Result, error) {
	runID := rand.Text()[:8]
	tc, err := run.NewTraceContext(rand.Reader, runID)
	if err != nil {
		return nil, err
	}
	flows := run.Memberships(inputs)
	head.complete(flags, l.memory, tc)
	kept, err := startBundle(flags.bundle, head)
	if err != nil {
		return nil, err
	}
	collectEarly(liveGarbage)
	spans := store.New(flows, store.Settings{Bytes: l.memory, RunTrace: tc.TraceID, RunSpan: tc.SpanID, RunID: runID, Journal: kept.store()})
	view := newView(stderr, flags.verbose)
	server, err := receiver.Start(ctx, receiver.Settings{
		GRPC: flags.grpc, HTTP: flags.http, MaxRequestBytes: int(l.request), CORSOrigins: []string{"*"}, Warn: view.hint,
		Routes: map[string]http.Handler{web.TracePattern: web.Trace(spans)},
	}, receiver.SinkFunc(spans.Consume))
	if err != nil {
		return nil, errors.Join(err, kept.discard())
	}
	view.listening(flags, server)
	settings := run.Settings{
		Inputs: inputs, Store: spans, Random: rand.Reader, Clock: run.SystemClock{},
		Telemetry: run.Telemetry{Endpoint: server.GRPCEndpoint(), ExportBatch: flags.exportBatch, RunID: runID},
		Inherited: os.Environ(), Context: tc, Own: run.OwnResource(version(), runID),
		GRPC: grpctrigger.New, Require: l.absence,
		Drain: server.Shutdown, Events: view.event, Journal: kept.log(),
	}
	if len(command) > 0 {
		settings.Command = &run.Command{Argv: command, Input: ownInput(), Lines: view.commandLine()}
	}
	result := run.Run(ctx, settings)
	view.done()
	for _, r := range server.Stats().Refused {
		result.Received.Refused = append(result.Received.Refused, refusal(r))
	}
	return result, kept.finish(result, result.ExitCode(flags.strict) != run.ExitPassed, view)
}

func refusal(r receiver.Refused) trace.Loss {
	who := r.Service
	if who == "" {
		who = r.Peer
	}
	if r.Requests > 0 {
		return trace.Loss{What: fmt.Sprintf("requests of %s refused: %s", who, r.Reason), Count: int(r.Requests)}
	}
	return trace.Loss{What: fmt.Sprintf("spans of %s refused: %s", who, r.Reason), Count: int(r.Spans)}
}
