package run

import "syscall"

// dieWithParent makes the kernel kill the command itself, though not what it
// started, when this process dies.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
