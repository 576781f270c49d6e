package run

import (
	"sync"
	"syscall"
)

// adoptOrphans makes this process the parent of what its children leave behind,
// so that the end of a group can be seen at once: an orphan that has ended stays
// in its group until its parent waits for it, and process 1 of a container may
// take its time. See PR_SET_CHILD_SUBREAPER in prctl(2).
var adoptOrphans = sync.OnceFunc(func() {
	const setChildSubreaper = 36
	// An error means a kernel older than 3.4: groups are then seen to end later.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0)
})
