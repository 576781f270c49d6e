//go:build unix

package run

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// group is the process group of a command.
type group struct {
	id    int // 0 until the command was adopted
	guard *guard
}

// newGroup makes cmd start in a group of its own, which ends with this process.
func newGroup(cmd *exec.Cmd, grace time.Duration) *group {
	adoptOrphans()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g := &group{guard: startGuard(grace)}
	if g.guard == nil {
		dieWithParent(cmd.SysProcAttr)
	}
	return g
}

// adopt is called once with the process that was started.
func (g *group) adopt(p *os.Process) {
	g.id = p.Pid
	g.guard.watch(p.Pid)
}

// terminate asks all processes of the group to end.
func (g *group) terminate() { _ = syscall.Kill(-g.id, syscall.SIGTERM) }

// kill ends them without asking.
func (g *group) kill() { _ = syscall.Kill(-g.id, syscall.SIGKILL) }

// gone reports whether the group is empty. It is called only after the command
// itself has been waited for.
func (g *group) gone() bool {
	// Orphans became our children: see adoptOrphans.
	for {
		pid, err := syscall.Wait4(-g.id, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			break
		}
	}
	return syscall.Kill(-g.id, 0) != nil
}

// release is called once, after the group has ended or was never started.
func (g *group) release() { g.guard.release() }

func shellCommand(line string) *exec.Cmd { return exec.Command("sh", "-c", line) }
