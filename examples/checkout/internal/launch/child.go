package launch

import (
	"fmt"
	"io"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/followspan/followspan/examples/checkout/internal/process"
)

// killAfter is how long a process may take to end after its standard input was
// closed. It bounds itself, too, by less than this.
const killAfter = 3 * time.Second

// A child is one process of the shop.
type child struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	// ready delivers, once, the address at which the process serves.
	ready chan string
	// ended is closed after the process is gone and err is set.
	ended chan struct{}
	err   error

	stopping atomic.Bool
	output   tail
}

func startChild(program, name string, env []string, log io.Writer) (*child, error) {
	c := &child{name: name, ready: make(chan string, 1), ended: make(chan struct{})}
	c.cmd = exec.Command(program, name)
	c.cmd.Env = env
	say := func(line string) {
		c.output.add(line)
		fmt.Fprintf(log, "%s: %s\n", name, line)
	}
	c.cmd.Stdout = &lineWriter{emit: func(line string) {
		if address, ok := process.Announced(line); ok {
			c.ready <- address
			return
		}
		say(line)
	}}
	c.cmd.Stderr = &lineWriter{emit: say}
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.stdin = stdin
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		c.err = c.cmd.Wait()
	}()
	return c, nil
}

// stop ends the process and returns once it is gone.
func (c *child) stop() {
	c.stopping.Store(true)
	c.stdin.Close()
	timer := time.AfterFunc(killAfter, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	<-c.ended
}

func (c *child) stopped() bool {
	return c.stopping.Load()
}

// failure says how the process ended and what it said last. Call it after ended.
func (c *child) failure() error {
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended: %s; its last output:\n%s", c.name, how, c.output.text())
}
