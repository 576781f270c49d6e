//go:build unix && !linux

package run

import "syscall"

// dieWithParent does nothing: only Linux has a signal for it. The command's
// standard input closes all the same.
func dieWithParent(*syscall.SysProcAttr) {}
