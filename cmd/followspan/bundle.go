package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/followspan/followspan/internal/recording"
	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/store"
)

// bundleFlags say whether a run is kept.
type bundleFlags struct{ path, keep string }

// defaultBundle is where a run is kept if --keep alone asks for it.
const defaultBundle = "run.followspan"

func (b *bundleFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&b.path, "bundle", "", "keep the run in this `file`, which followspan check judges again: spans, flow files, result")
	f.StringVar(&b.keep, "keep", "", "`when` the run is kept: always, or on-failure; where --bundle says, else in "+defaultBundle)
}

// check completes the flags. The flow files are not to be replaced by a bundle.
func (b *bundleFlags) check(files []string) error {
	switch b.keep {
	case "":
	case "always", "on-failure":
		b.path = cmp.Or(b.path, defaultBundle)
	default:
		return fmt.Errorf("--keep %s: want always or on-failure", b.keep)
	}
	if err := spare(b.path, files); err != nil {
		return fmt.Errorf("--bundle %s: %w", b.path, err)
	}
	return nil
}

// bundleVersion is that of the format.
const bundleVersion = 1

// bundleHead is the first line of a bundle: what must be known to judge it again.
type bundleHead struct {
	Bundle  int          `json:"bundle"`
	Version string       `json:"version"` // of followspan
	Context bundleRun    `json:"run"`
	Absence string       `json:"requireAbsence"`
	Memory  int64        `json:"memory,omitempty"` // bytes for spans
	Strict  bool         `json:"strict,omitempty"`
	Only    []string     `json:"flows,omitempty"`
	Params  []string     `json:"params,omitempty"`
	Files   []flowSource `json:"files"`
	// Environment holds the variables that the flow files name.
	Environment map[string]string `json:"environment,omitempty"`
}

// complete fills in what the command line and the run say.
func (h *bundleHead) complete(flags runFlags, memory int64, of run.TraceContext) {
	h.Bundle, h.Version, h.Memory = bundleVersion, version(), memory
	h.Context = bundleRun{of.RunID, of.TraceID.String(), of.SpanID.String()}
	h.Absence, h.Strict, h.Only, h.Params = flags.absence, flags.strict, flags.flows, flags.params
}

// bundleRun is what the store knew of the run.
type bundleRun struct {
	ID      string `json:"id"`
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

// bundleResult is the last line: what the run found.
type bundleResult struct {
	ExitCode int             `json:"exitCode"`
	Verdicts []bundleVerdict `json:"verdicts"`
}

// bundleVerdict is a verdict, and when and by which span it was decided.
type bundleVerdict struct {
	Flow      string        `json:"flow"`
	Instance  string        `json:"instance,omitempty"`
	Assertion string        `json:"assertion"`
	Outcome   string        `json:"outcome"`
	Early     bool          `json:"early,omitempty"`
	At        time.Duration `json:"atNanos"`
	By        string        `json:"bySpanId,omitempty"`
	Why       string        `json:"why,omitempty"`
}

func newBundleResult(r *run.Result) bundleResult {
	out := bundleResult{ExitCode: r.ExitCode(false), Verdicts: []bundleVerdict{}}
	for v := range r.Verdicts() {
		b := bundleVerdict{
			Flow: v.Assertion.Flow, Instance: v.Instance, Assertion: v.Assertion.Name, Outcome: v.Outcome.String(),
			Early: v.Early, At: v.At, Why: v.Explanation().Why,
		}
		if v.By != nil {
			b.By = v.By.SpanID.String()
		}
		out.Verdicts = append(out.Verdicts, b)
	}
	return out
}

// bundle is a run bundle while it is written: to a file beside the one that it
// becomes in the end.
type bundle struct {
	flags   bundleFlags
	file    *os.File
	journal *run.Journal
	entries chan run.Entry // to be encoded, so that nobody waits for that
	done    chan struct{}
	writer  *recording.BundleWriter
	err     error // once done is closed
}

// queuedEntries is how many entries may wait until whoever sends spans does.
const queuedEntries = 1 << 12

// startBundle returns nil if the run is not to be kept.
func startBundle(flags bundleFlags, head bundleHead) (*bundle, error) {
	if flags.path == "" {
		return nil, nil
	}
	switch info, err := os.Stat(flags.path); {
	case err != nil:
	case info.IsDir():
		return nil, fmt.Errorf("--bundle %s: this is a directory, and a bundle is a file", flags.path)
	case !info.Mode().IsRegular(): // The bundle would take its place.
		return nil, fmt.Errorf("--bundle %s: this is a pipe or a device, and a bundle is a file", flags.path)
	}
	file, err := os.OpenFile(fmt.Sprintf("%s.%d.part", flags.path, os.Getpid()), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil { // without the name, which is not the one that was given
		return nil, fmt.Errorf("--bundle %s: %w", flags.path, cmp.Or(errors.Unwrap(err), err))
	}
	b := &bundle{flags: flags, file: file, entries: make(chan run.Entry, queuedEntries), done: make(chan struct{}), writer: recording.NewBundleWriter(file)}
	b.journal = run.NewJournal(func(e run.Entry) error {
		b.entries <- e
		return nil
	})
	b.err = b.writer.Write(head, nil)
	go b.write()
	return b, nil
}

func (b *bundle) write() {
	defer close(b.done)
	for e := range b.entries {
		if b.err == nil {
			b.err = b.writer.Write(e, e.Spans)
		}
		if b.err == nil && len(b.entries) == 0 { // so that whoever is killed loses nothing
			b.err = b.writer.Flush()
		}
	}
}

// finish keeps the bundle and says where, or throws it away if it is not wanted.
func (b *bundle) finish(r *run.Result, failed bool, view *view) error {
	if b == nil {
		return nil
	}
	b.journal.End(r)
	b.end()
	if b.err == nil {
		b.err = b.writer.Write(newBundleResult(r), nil)
	}
	if b.err == nil {
		b.err = b.writer.Close()
	}
	err := errors.Join(b.err, b.file.Close())
	switch {
	case err != nil:
		return fmt.Errorf("--bundle: %w", errors.Join(err, os.Remove(b.file.Name())))
	case !failed && b.flags.keep == "on-failure":
		return os.Remove(b.file.Name())
	}
	if err := os.Rename(b.file.Name(), b.flags.path); err != nil {
		return fmt.Errorf("--bundle: %w", err)
	}
	view.line("kept: followspan check " + b.flags.path + " judges this run again")
	return nil
}

// end waits until the entries are written. None may come any more.
func (b *bundle) end() {
	close(b.entries)
	<-b.done
}

// discard takes away the bundle of a run that did not take place.
func (b *bundle) discard() error {
	if b == nil {
		return nil
	}
	b.end()
	return errors.Join(b.file.Close(), os.Remove(b.file.Name()))
}

// log is the journal of the run, nil if it is not kept.
func (b *bundle) log() *run.Journal {
	if b == nil {
		return nil
	}
	return b.journal
}

// store is the journal of the run's store.
func (b *bundle) store() func(store.Op) {
	if b == nil {
		return nil
	}
	return b.journal.Store
}
