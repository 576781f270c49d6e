package main

import (
	"os"
	"syscall"
)

// mostMemory is the most that a process had resident, in MiB.
func mostMemory(p *os.ProcessState) float64 {
	return float64(p.SysUsage().(*syscall.Rusage).Maxrss) / 1024 // in KiB
}
