//go:build unix

package run

import (
	"os/exec"
	"syscall"
)

// detach puts a daemon into a session of its own, out of its group.
func detach(cmd *exec.Cmd, mode string) {
	if mode == "daemon" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
}
