//go:build unix

package run

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestStopKillsAGroupThatIgnoresIt(t *testing.T) {
	w, clock := newWitness(t), newHandClock()
	c := startChild(t, playing("family", w.address()), clock)
	parent, child := w.next(), w.next()
	go c.Stop()
	clock.expect(DefaultGrace)
	select {
	case <-c.Done():
		t.Error("ended before the grace was over")
	default:
	}
	clock.pass(DefaultGrace)
	parent.wantEnd()
	child.wantEnd()
	want := Exit{Code: -1, Signal: "killed", Stopped: true, Duration: DefaultGrace}
	if got := c.Wait(); got != want {
		t.Errorf("exit %+v, want %+v", got, want)
	}
	if step := c.Step(StepCommand); step.Err != "" || step.ExitCode != -1 {
		t.Errorf("a stopped command went well, got %+v", step)
	}
}

func TestStopAsksFirst(t *testing.T) {
	w := newWitness(t)
	c := startChild(t, playing("polite", w.address()), SystemClock{})
	s := w.next()
	exit := c.Stop()
	s.wantEnd("asked")
	if exit != c.Stop() || !exit.Stopped || exit.Signal != "" {
		t.Errorf("exit %+v", exit)
	}
}

func TestStopClosesStandardInput(t *testing.T) {
	reading := make(chan string, 2)
	command := playing("reader")
	command.Lines = func(line string) { reading <- line }
	c := startChild(t, command, newHandClock())
	<-reading
	c.Stop()
	if got := <-reading; got != "closed <nil>" {
		t.Errorf("read %q", got)
	}
}

func TestWhatACommandLeavesBehindIsAskedToEnd(t *testing.T) {
	w := newWitness(t)
	c := startChild(t, playing("leaver", "polite", w.address()), SystemClock{})
	leaver, s := w.nextTwo("leaver")
	_ = leaver.conn.Close()
	s.wantEnd("asked")
	if exit := c.Wait(); exit.Code != 0 || exit.Stopped {
		t.Errorf("exit %+v", exit)
	}
}

func TestWhatACommandLeavesBehindIsKilled(t *testing.T) {
	w, clock := newWitness(t), newHandClock()
	c := startChild(t, playing("leaver", "stubborn", w.address()), clock)
	leaver, s := w.nextTwo("leaver")
	_ = leaver.conn.Close()
	clock.expect(DefaultGrace)
	clock.pass(DefaultGrace)
	s.wantEnd()
	c.Wait()
}

func TestADaemonThatKeepsTheOutputHoldsNobodyUp(t *testing.T) {
	w, clock := newWitness(t), newHandClock()
	c := startChild(t, playing("leaver", "daemon", w.address()), clock)
	leaver, _ := w.nextTwo("leaver")
	_ = leaver.conn.Close()
	clock.expect(drainTime)
	clock.pass(drainTime)
	c.Wait()
}

func TestExitBySignal(t *testing.T) {
	c := startChild(t, Command{Shell: "kill -SEGV $$"}, SystemClock{})
	if got, want := c.Step(StepSystem).Err, "was ended by a signal: segmentation fault"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// killParent starts a parent of the mode, and kills it once both live.
func killParent(t *testing.T, w *witness, environment []string, mode string, processes int) []testimony {
	parent := exec.Command(os.Args[0], mode, w.address())
	parent.Env = append(environment, modeKey+"=parent")
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var all []testimony
	for range processes {
		all = append(all, w.next())
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	return all
}

func TestKilledParentLeavesNoGroup(t *testing.T) {
	w := newWitness(t)
	began := time.Now()
	for _, s := range killParent(t, w, os.Environ(), "family", 3) {
		s.wantEnd()
	}
	if took := time.Since(began); took < shortGrace {
		t.Errorf("killed after %v, before the grace was over", took)
	}
}

func TestKilledParentHasItsGroupAsked(t *testing.T) {
	w := newWitness(t)
	for _, s := range killParent(t, w, os.Environ(), "polite", 2) {
		if s.name == "polite" {
			s.wantEnd("asked")
		}
	}
}
