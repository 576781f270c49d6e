//go:build unix

package run

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// guardScript ends the process group that it reads as its first line once its
// input closes: with SIGTERM, and after $1 tenths of a second with SIGKILL.
const guardScript = `read -r group || exit 0
read -r nothing
kill -s TERM -- "-$group" 2>/dev/null || exit 0
i=0
while [ "$i" -lt "$1" ] && kill -s 0 -- "-$group" 2>/dev/null; do
	sleep 0.1
	i=$((i+1))
done
kill -s KILL -- "-$group" 2>/dev/null`

// guard is a small shell that outlives this process for as long as it takes to
// end a group in its place. It covers what neither a closed standard input nor
// the parent-death signal of Linux does: the grandchildren, and the commands
// that must be asked before they are killed. A nil guard does nothing.
type guard struct {
	cmd   *exec.Cmd
	input io.WriteCloser // the last end of it closes when this process dies
}

// startGuard returns nil if there is no shell.
func startGuard(grace time.Duration) *guard {
	tenths := strconv.FormatInt(int64(grace/(100*time.Millisecond)), 10)
	cmd := exec.Command("sh", "-c", guardScript, "followspan-guard", tenths)
	cmd.Dir = "/"
	// In a group of its own, Ctrl-C at a terminal does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return nil
	}
	return &guard{cmd, input}
}

// watch says which group to end.
func (g *guard) watch(group int) {
	if g != nil {
		_, _ = fmt.Fprintln(g.input, group)
	}
}

// release ends the guard; killed before its input closes, it does nothing.
func (g *guard) release() {
	if g != nil {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	}
}
