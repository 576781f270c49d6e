package run

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func startChild(t *testing.T, command Command, clock Clock) *Child {
	t.Helper()
	c, err := StartChild(command, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.group.kill()
		c.Stop()
	})
	return c
}

func needShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the shell lines of this test are for sh")
	}
}

func TestOutputIsStreamedAndItsEndIsKept(t *testing.T) {
	needShell(t)
	var got strings.Builder
	c := startChild(t, Command{
		Shell: `i=0; while [ $i -lt 15 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf 'no end'; exit 3`,
		Lines: PrefixLines(&got, "sut | "),
	}, SystemClock{})
	step := c.Step(StepCommand)
	var want []string
	for i := range 15 {
		want = append(want, fmt.Sprint("out ", i), fmt.Sprint("err ", i))
	}
	want = append(want, "no end")
	if diff := cmp.Diff("sut | "+strings.Join(want, "\nsut | ")+"\n", got.String()); diff != "" {
		t.Errorf("streamed (-want +got):\n%s", diff)
	}
	wantStep := Step{Kind: StepCommand, Name: c.command.Shell, Duration: step.Duration, Err: "exited with code 3", ExitCode: 3, Output: want[len(want)-20:]}
	if diff := cmp.Diff(wantStep, step); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
}

func TestLongLinesAreCut(t *testing.T) {
	var lines []string
	long := strings.Repeat("x", maxLine+7)
	eachLine(strings.NewReader(long+"\nshort\r\n\n"+long), func(s string) { lines = append(lines, s) })
	cut := long[:maxLine] + "… (7 bytes more)"
	if diff := cmp.Diff([]string{cut, "short", "", cut}, lines); diff != "" {
		t.Errorf("eachLine (-want +got):\n%s", diff)
	}
}

func TestTailShowsWhatATerminalWould(t *testing.T) {
	var tl tail
	for _, s := range []string{"10%\r50%\rdone", "bad \xff byte", strings.Repeat("é", maxTailLine)} {
		tl.add(s)
	}
	want := []string{"done", "bad � byte", strings.Repeat("é", maxTailLine/2) + "…"}
	if diff := cmp.Diff(want, tl.list()); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
}

func TestStepOfACommandThatWentWell(t *testing.T) {
	c := startChild(t, playing("env"), SystemClock{})
	step := c.Step(StepCommand)
	want := Step{Kind: StepCommand, Name: c.command.String(), Duration: step.Duration}
	if diff := cmp.Diff(want, step); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
}

func TestDirectoryAndPWD(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	command := playing("env", "an argument")
	command.Dir = dir
	c := startChild(t, command, SystemClock{})
	c.Wait()
	for _, want := range []string{"PWD=" + dir, "an argument"} {
		if !slices.Contains(c.Tail(), want) {
			t.Errorf("no line %q in %q", want, c.Tail())
		}
	}
}

func TestStartErrors(t *testing.T) {
	needShell(t)
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("plain", "echo hello\n", 0o644)
	write("orphan", "#!/no/such/interpreter\n", 0o755)
	write("garbage", "\x00\x01\x02", 0o755)
	for _, test := range []struct {
		reason  string
		command Command
		want    string
	}{
		{"nothing to start", Command{}, `a command needs either a program with its arguments or a shell line`},
		{"both", Command{Argv: []string{"x"}, Shell: "x"}, `a command needs either a program with its arguments or a shell line`},
		{"unknown program", Command{Argv: []string{"frobnicate-it", "a b"}}, `cannot start "frobnicate-it \"a b\"": no program "frobnicate-it" in PATH (check the spelling and that it is installed, or give its path)`},
		{"missing file", Command{Argv: []string{"./missing"}, Dir: dir}, `cannot start "./missing": no such file: ./missing (check the path; a relative one is relative to dir, else to the flow file)`},
		{"not executable", Command{Argv: []string{"./plain"}, Dir: dir}, `cannot start "./plain": ./plain may not be executed (chmod +x ./plain)`},
		{"no interpreter", Command{Argv: []string{"./orphan"}, Dir: dir}, `cannot start "./orphan": the interpreter that its first line names does not exist (correct its #! line)`},
		{"no program", Command{Argv: []string{"./garbage"}, Dir: dir}, `cannot start "./garbage": ./garbage is no program for ` + runtime.GOOS + `/` + runtime.GOARCH + ` (a script needs a #! line)`},
		{"missing directory", Command{Shell: "true", Dir: "no/such"}, `cannot start "true": its directory does not exist: no/such (create it, or correct dir; a relative one is relative to the flow file)`},
		{"directory is a file", Command{Shell: "true", Dir: filepath.Join(dir, "plain")}, `cannot start "true": its directory is a file: ` + filepath.Join(dir, "plain") + ` (name the directory that holds it)`},
	} {
		_, err := StartChild(test.command, SystemClock{})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: StartChild(%v)\n got %v\nwant %s", test.reason, test.command, err, test.want)
		}
	}
}
