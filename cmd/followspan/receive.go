package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/internal/report"
	"github.com/followspan/followspan/internal/watch"
	"github.com/followspan/followspan/internal/web"
	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/trace"
)

// receiveFlags are the flags of receive.
type receiveFlags struct {
	endpoint endpointFlags
	memory   string
}

func newReceive() *cobra.Command {
	var flags receiveFlags
	c := &cobra.Command{
		Use:                   "receive [flags]",
		DisableFlagsInUseLine: true,
		Short:                 "Receive spans and print a line for each trace",
		Long: `receive is an OTLP endpoint and nothing else: what to run first to see whether
spans arrive at all. It says how to point services at it, prints a line for each
trace, and once more when spans came late. Ctrl-C ends it with a summary.

GET /api/traces/ID at its HTTP address answers with a trace as OTLP JSON.

Exit codes: 0 it was ended, 2 a bad command line, 3 could not listen.`,
		Example: `  followspan receive
  followspan receive --listen-grpc 0.0.0.0:4317 --listen-http 0.0.0.0:4318
  followspan receive --tls-cert cert.pem --tls-key key.pem --token-file token`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return receive(c, flags) },
	}
	f := c.Flags()
	f.SortFlags = false
	flags.endpoint.bind(f)
	f.StringVar(&flags.memory, "memory", formatSize(store.DefaultBytes), "how much memory spans may take; exporters are told to retry beyond it")
	return c
}

func receive(c *cobra.Command, flags receiveFlags) error {
	settings, err := flags.endpoint.settings()
	if err != nil {
		return err
	}
	memory, err := parseMemory(flags.memory)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	view := newView(c.ErrOrStderr(), false)
	collectEarly(liveGarbage)
	spans := store.New([]trace.Membership{watch.Membership}, store.Settings{Bytes: memory})
	settings.Warn = view.hint
	settings.Routes = map[string]http.Handler{web.TracePattern: web.Trace(spans)}
	server, err := receiver.Start(ctx, settings, receiver.SinkFunc(spans.Consume))
	if err != nil {
		return cannotRun{err}
	}
	view.line(introduction(server, flags.endpoint.setup(server)))
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		err := server.Shutdown(context.WithoutCancel(ctx))
		spans.Close(trace.ByEndOfRun)
		ended <- err
	}()
	text := textSettings(c.OutOrStdout(), os.Getenv)
	if err := watch.Traces(context.WithoutCancel(ctx), spans, func(f trace.Flow, late int) {
		fmt.Fprintln(c.OutOrStdout(), report.TraceLine(f, late, text))
	}); err != nil {
		return err
	}
	view.line(summary(server.Stats(), spans.Stats()))
	return <-ended
}

// introduction says where spans are expected and how to send them there.
func introduction(s *receiver.Server, setup receiver.Setup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "receiving OTLP at %s (gRPC) and %s (HTTP); either takes both\n", s.GRPCEndpoint(), s.HTTPEndpoint())
	fmt.Fprintf(&b, "\nin a shell, before a service is started:\n\n%s", indented(setup.Shell(), "  "))
	fmt.Fprintf(&b, "\nin Docker Compose, under each service:\n\n%s", indented(setup.Compose(), "    "))
	host, ok := reachable(s.GRPCAddr())
	fmt.Fprintf(&b, "\nin Kubernetes, under each container:\n\n%s", indented(setup.Kubernetes(host), "    "))
	if !ok {
		b.WriteString("\nThis is a loopback address, which containers reach with Docker Desktop only: elsewhere listen with\n--listen-grpc 0.0.0.0:4317 --listen-http 0.0.0.0:4318.\n")
	}
	b.WriteString("\nCtrl-C ends it.\n")
	return b.String()
}

func indented(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

// reachable is an address of this machine for others, and whether it listens there.
func reachable(listening net.Addr) (host string, ok bool) {
	at, isTCP := listening.(*net.TCPAddr)
	if isTCP && !at.IP.IsLoopback() && !at.IP.IsUnspecified() {
		return at.IP.String(), true
	}
	ok = !isTCP || at.IP.IsUnspecified()
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "<this machine>", ok
	}
	for _, a := range all {
		if ip, is := a.(*net.IPNet); is && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String(), ok
		}
	}
	return "<this machine>", ok
}

// summary says what was received in all.
func summary(door receiver.Stats, kept store.Stats) string {
	lines := []string{fmt.Sprintf("%s, %s in %s", count(kept.Traces, "trace"), count(kept.Spans, "span"), count(int(door.Requests), "request"))}
	add := func(format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }
	for _, s := range door.Senders {
		again := ""
		if n := kept.CopiesBy[cmp.Or(s.Instance, s.Service)]; n > 0 {
			again = fmt.Sprintf(", %d of them again, which count once", n)
		}
		add("%s: %s%s, %s", sender(s), count(int(s.Spans), "span"), again, lag(s.Lag))
	}
	for _, r := range door.Refused {
		loss := refusal(r)
		add("%s: %d", loss.What, loss.Count)
	}
	for _, other := range []struct {
		signal string
		count  uint64
	}{{"metrics", door.Metrics}, {"logs", door.Logs}, {"profiles", door.Profiles}} {
		if other.count > 0 {
			add("%s with %s, which are not kept", count(int(other.count), "request"), other.signal)
		}
	}
	return strings.Join(lines, "\n")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func sender(s receiver.Sender) string {
	switch {
	case s.Service == "" && s.Instance == "":
		return "without a service name"
	case s.Instance == "":
		return s.Service
	}
	return fmt.Sprintf("%s (%s)", s.Service, s.Instance)
}

func lag(l trace.Lag) string {
	if l.Unknown {
		return "at times that are far from this machine's clock"
	}
	return fmt.Sprintf("received up to %v after their end", l.Most.Round(time.Millisecond))
}
