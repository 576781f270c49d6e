package run

import (
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is a job object, which holds a command and all that it starts. The
// system ends them when the job's last handle closes, so also when this process
// dies.
type group struct {
	job windows.Handle // 0 if there is none
	p   *os.Process
}

// newGroup makes cmd start in a console group of its own.
func newGroup(cmd *exec.Cmd, _ time.Duration) *group {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP
	return &group{job: newJob()}
}

func newJob() windows.Handle {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0
	}
	return job
}

// adopt is called once with the process that was started. Without a job the
// command alone is ended, and what it started is not.
func (g *group) adopt(p *os.Process) {
	g.p = p
	if g.job == 0 {
		return
	}
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return
	}
	defer func() { _ = windows.CloseHandle(h) }()
	_ = windows.AssignProcessToJobObject(g.job, h)
}

// terminate asks all processes of the console group to end.
func (g *group) terminate() {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.p.Pid))
}

// kill ends all processes of the job without asking.
func (g *group) kill() {
	if g.job == 0 || windows.TerminateJobObject(g.job, 1) != nil {
		_ = g.p.Kill()
	}
}

// gone reports true: what a command leaves behind here is killed at once.
func (g *group) gone() bool { return true }

// release is called once, after the group has ended or was never started.
func (g *group) release() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

func shellCommand(line string) *exec.Cmd {
	cmd := exec.Command("cmd")
	// cmd reads its line by rules of its own; with /S it takes off just the outer quotes.
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /S /C "` + line + `"`}
	return cmd
}
