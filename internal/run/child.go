package run

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	groupPoll = 10 * time.Millisecond // between two looks at whether a group has ended
	drainTime = time.Second           // for output that a process outside the group holds open
)

// Child is a command that was started in a process group of its own, together
// with all that it starts in turn. When the command ends, by itself or by Stop,
// what is left of its group is ended too: SIGTERM, the grace, SIGKILL.
//
// Unless the command has an Input, its standard input is a pipe that stays open and
// empty until then, or until this process dies; see guard for what else happens in
// that case.
// All methods may be called concurrently.
type Child struct {
	command Command
	clock   Clock
	cmd     *exec.Cmd
	group   *group
	stdin   io.Closer // nil if the command has an Input
	output  *os.File
	tail    tail
	started time.Time

	askOnce sync.Once
	asked   chan struct{} // to stop
	exited  chan struct{} // the command itself has
	drained chan struct{} // all of its output was read
	done    chan struct{}
	exit    Exit // complete once done is closed
}

// Exit is how a command ended.
type Exit struct {
	Code     int    // -1 if a signal or Stop ended it
	Signal   string // the signal that ended it, in words; else empty
	Stopped  bool   // Stop was called before it ended by itself
	Duration time.Duration
	// Orderly: it and all that it started ended by themselves, or within the grace
	// when they were asked to; nothing had to be killed.
	Orderly bool
}

// String says it as the end of a sentence about the command.
func (e Exit) String() string {
	switch {
	case e.Stopped:
		return "was stopped"
	case e.Signal != "":
		return "was ended by a signal: " + e.Signal
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// StartChild starts a command. The caller must call Stop, unless Done closed
// before. The error is a *StartError.
func StartChild(command Command, clock Clock) (*Child, error) {
	cmd, err := command.prepare()
	if err != nil {
		return nil, err
	}
	stdin, err := command.connect(cmd)
	if err != nil {
		return nil, command.startError(err, err.Error(), "")
	}
	// One pipe for both streams keeps the order in which they were written.
	output, w, err := os.Pipe()
	if err != nil {
		return nil, command.startError(err, err.Error(), "")
	}
	cmd.Stdout, cmd.Stderr = w, w
	c := &Child{
		command: command, clock: clock, cmd: cmd, stdin: stdin, output: output, started: clock.Now(),
		asked: make(chan struct{}), exited: make(chan struct{}), drained: make(chan struct{}), done: make(chan struct{}),
	}
	err = c.start()
	_ = w.Close()
	if err != nil {
		_ = output.Close()
		return nil, command.explain(cmd, err)
	}
	go c.read()
	go c.supervise()
	return c, nil
}

// connect gives the command its standard input.
func (c Command) connect(cmd *exec.Cmd) (io.Closer, error) {
	if c.Input != nil {
		cmd.Stdin = c.Input
		return nil, nil
	}
	return cmd.StdinPipe()
}

// start returns once the command runs in its group.
func (c *Child) start() error {
	c.group = newGroup(c.cmd, cmp.Or(c.command.Grace, DefaultGrace))
	started := make(chan error)
	go c.hold(started)
	if err := <-started; err != nil {
		c.group.release()
		return err
	}
	return nil
}

// hold starts the command and waits for it on one and the same thread, because
// Linux sends the signal of Pdeathsig when the THREAD that started a process
// ends, and the runtime may end threads (https://go.dev/issue/27505).
func (c *Child) hold(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	if err == nil {
		c.group.adopt(c.cmd.Process)
	}
	started <- err
	if err != nil {
		return
	}
	_ = c.cmd.Wait() // how it ended stands in ProcessState
	c.exit = exitOf(c.cmd.ProcessState)
	c.exit.Duration = c.clock.Now().Sub(c.started)
	close(c.exited)
}

func exitOf(p *os.ProcessState) Exit {
	if p == nil { // somebody else has waited for it
		return Exit{Code: -1}
	}
	e := Exit{Code: p.ExitCode()}
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal().String()
	}
	return e
}

func (c *Child) read() {
	defer close(c.drained)
	eachLine(c.output, func(line string) {
		c.tail.add(line)
		if c.command.Lines != nil {
			c.command.Lines(line)
		}
	})
}

// supervise ends the group once the command has ended or is to be stopped.
func (c *Child) supervise() {
	defer close(c.done)
	stopped := false
	select {
	case <-c.exited:
	case <-c.asked:
		stopped = true
	}
	expired, cancel := after(c.clock, cmp.Or(c.command.Grace, DefaultGrace))
	defer cancel()
	c.group.terminate()
	if c.stdin != nil {
		_ = c.stdin.Close()
	}
	killed := false
	select {
	case <-c.exited:
	case <-expired:
		c.group.kill()
		<-c.exited
		killed = true
	}
	if stopped {
		c.exit.Stopped, c.exit.Code = true, -1
	}
	c.exit.Orderly = c.endGroup(expired) && !killed
	c.drain()
}

// endGroup waits for what the command left in its group, and then kills it. It
// reports whether nothing was left to kill.
func (c *Child) endGroup(expired <-chan struct{}) bool {
	for !c.group.gone() && pause(c.clock, groupPoll, expired) {
	}
	gone := c.group.gone()
	c.group.kill()
	c.group.release()
	return gone
}

// drain waits for the rest of the output. A process that left the group, such
// as a daemon, may hold the pipe open; it does not hold us up for long.
func (c *Child) drain() {
	pause(c.clock, drainTime, c.drained)
	_ = c.output.Close()
	<-c.drained
}

// Stop asks the command and its group to end, kills them after the grace, and
// returns once they have ended. It may be called again, and after the command
// has ended by itself.
func (c *Child) Stop() Exit {
	c.askOnce.Do(func() { close(c.asked) })
	return c.Wait()
}

// Wait returns once the command and its group have ended by themselves or by
// Stop, and their output was handed on.
func (c *Child) Wait() Exit {
	<-c.done
	return c.exit
}

// Done closes when Wait would return.
func (c *Child) Done() <-chan struct{} { return c.done }

// Tail returns the last lines of the output so far, at most 20.
func (c *Child) Tail() []string { return c.tail.list() }

// Step waits for the end and says what became of the command. One that was
// stopped, or exited with 0, went well.
func (c *Child) Step(kind StepKind) Step {
	exit := c.Wait()
	s := Step{Kind: kind, Name: c.command.String(), Duration: exit.Duration, ExitCode: exit.Code}
	if !exit.Stopped && exit.Code != 0 {
		s.Err, s.Output = exit.String(), c.Tail()
	}
	return s
}
