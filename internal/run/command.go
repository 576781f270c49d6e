package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// DefaultGrace is how long a command may take to end after it was asked to.
const DefaultGrace = 5 * time.Second

// Command says what to start. Exactly one of Argv and Shell is set.
type Command struct {
	Argv  []string // the program, looked up in PATH unless it holds a slash, and its arguments
	Shell string   // a line for sh -c, or for cmd /C on Windows
	// Dir is where it runs and what a relative program path is relative to;
	// empty is the current directory.
	Dir string
	// Env is its whole environment; nil is that of this process.
	Env []string
	// Grace is how long it may take to end after it was asked to; 0 is
	// DefaultGrace.
	Grace time.Duration
	// Input, unless nil, is its standard input, of which nothing is read here. Else it is
	// a pipe that stays open and empty until the command is to end.
	Input *os.File
	// Lines, unless nil, gets every line of its output, standard output and
	// standard error in the order in which they were written, without the line's
	// end. It is called from one goroutine and holds the command up while it
	// runs.
	Lines func(line string)
}

// String returns the command as one would type it.
func (c Command) String() string {
	if c.Shell != "" {
		return c.Shell
	}
	words := make([]string, len(c.Argv))
	for i, w := range c.Argv {
		words[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n\"'\\$`|&;<>()*?#~") {
			words[i] = strconv.Quote(w)
		}
	}
	return strings.Join(words, " ")
}

// prepare returns the command ready to be started. Its output is not connected.
func (c Command) prepare() (*exec.Cmd, error) {
	if (len(c.Argv) == 0 || c.Argv[0] == "") == (c.Shell == "") {
		return nil, &StartError{What: "a command needs either a program with its arguments or a shell line"}
	}
	if err := c.checkDir(); err != nil {
		return nil, err
	}
	cmd := c.build()
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if c.Dir != "" && c.Env != nil {
		// Otherwise programs that trust PWD would believe to be where we are.
		if dir, err := filepath.Abs(c.Dir); err == nil {
			cmd.Env = append(c.Env[:len(c.Env):len(c.Env)], "PWD="+dir)
		}
	}
	return cmd, nil
}

func (c Command) build() *exec.Cmd {
	if c.Shell != "" {
		return shellCommand(c.Shell)
	}
	return exec.Command(c.Argv[0], c.Argv[1:]...)
}

func (c Command) checkDir() error {
	if c.Dir == "" {
		return nil
	}
	info, err := os.Stat(c.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.startError(err, "its directory does not exist: "+c.Dir, "create it, or correct dir; a relative one is relative to the flow file")
	case err != nil:
		return c.startError(err, "its directory cannot be read: "+err.Error(), "")
	case !info.IsDir():
		return c.startError(nil, "its directory is a file: "+c.Dir, "name the directory that holds it")
	}
	return nil
}

// StartError says why a command could not be started.
type StartError struct {
	What string // one line that names the command
	Try  string // what would help; may be empty
	Err  error  // the cause; may be nil
}

// Error returns what is wrong and what to try, in one line.
func (e *StartError) Error() string {
	if e.Try == "" {
		return e.What
	}
	return e.What + " (" + e.Try + ")"
}

func (e *StartError) Unwrap() error { return e.Err }

func (c Command) startError(err error, why, try string) *StartError {
	return &StartError{What: fmt.Sprintf("cannot start %q: %s", clip(c.String(), 200), why), Try: try, Err: err}
}

// explain turns what the system says about a failed start into what a person
// can act on.
func (c Command) explain(cmd *exec.Cmd, err error) *StartError {
	program := cmd.Args[0]
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return c.startError(err, fmt.Sprintf("no program %q in PATH", program), "check the spelling and that it is installed, or give its path")
	case errors.Is(err, exec.ErrDot):
		return c.startError(err, fmt.Sprintf("%q is in the current directory", program), "write ./"+program)
	case errors.Is(err, fs.ErrNotExist) && c.isFile(program):
		return c.startError(err, "the interpreter that its first line names does not exist", "correct its #! line")
	case errors.Is(err, fs.ErrNotExist):
		return c.startError(err, fmt.Sprintf("no such file: %s", program), "check the path; a relative one is relative to dir, else to the flow file")
	case errors.Is(err, fs.ErrPermission):
		return c.startError(err, fmt.Sprintf("%s may not be executed", program), "chmod +x "+program)
	case errors.Is(err, syscall.ENOEXEC):
		return c.startError(err, fmt.Sprintf("%s is no program for %s/%s", program, runtime.GOOS, runtime.GOARCH), "a script needs a #! line")
	}
	return c.startError(err, err.Error(), "")
}

func (c Command) isFile(program string) bool {
	if !filepath.IsAbs(program) {
		program = filepath.Join(c.Dir, program)
	}
	_, err := os.Stat(program)
	return err == nil
}
