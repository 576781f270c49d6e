//go:build unix && !linux

package run

// adoptOrphans does nothing: only Linux can, and elsewhere process 1 is a real init.
func adoptOrphans() {}
