// Command followspan asserts what a distributed system did: it receives
// OpenTelemetry spans and judges them by flow files.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// exitError ends the program with a code after everything was said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// cannotRun is an error that says what could not be done, such as to write.
type cannotRun struct{ error }

func (e cannotRun) Unwrap() error { return e.error }

// execute runs one command line and returns the exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var exit exitError
	switch {
	case err == nil:
		return run.ExitPassed
	case errors.As(err, &exit):
		return int(exit)
	}
	message := strings.ReplaceAll(err.Error(), "\t", "  ")
	fmt.Fprintln(stderr, "followspan: "+diagStyle(textSettings(stderr, os.Getenv)).Clean(message))
	if errors.As(err, &cannotRun{}) {
		return run.ExitCannotRun
	}
	return run.ExitBadInput
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "followspan",
		Short: "Assert what a distributed system did",
		Long: `followspan asserts what a distributed system did. It receives the system's
OpenTelemetry spans and judges them by flow files, which say which services had
to be called, what data had to flow between them, in which order and how fast.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(newRun(), newCheck(), newShow(), newRecord(), newReceive(), newLint(), newInit(), newSchema(), newVersion())
	return root
}

// explainFlag says what to do about a bad flag.
func explainFlag(c *cobra.Command, err error) error {
	var names []string
	c.Flags().VisitAll(func(f *flag) { names = append(names, "--"+f.Name) })
	message := err.Error()
	var wrong string
	if _, scan := fmt.Sscanf(message, "unknown flag: %s", &wrong); scan == nil {
		if name, ok := diag.Suggest(wrong, names); ok {
			return fmt.Errorf("%s, did you mean %s?", message, name)
		}
	}
	return fmt.Errorf("%s\n%s --help lists the flags", message, c.CommandPath())
}
