//go:build unix

package grpctrigger

import "syscall"

const errRefused = syscall.ECONNREFUSED
