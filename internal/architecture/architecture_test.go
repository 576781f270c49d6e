// Package architecture keeps the rules of who may import whom.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/followspan/followspan/"

// rule forbids the packages under one prefix to import those under others. A
// prefix that starts with "our/" is within the module.
type rule struct {
	packages  string
	exempt    []string // packages that the rule does not bind
	forbidden []string
	allowed   []string // imports that are fine all the same
	reach     reach
	why       string
}

// reach says whether a rule is about what a package names itself, or about
// everything that it drags in.
type reach uint8

const (
	direct reach = iota
	transitive
)

const (
	pdata = "go.opentelemetry.io/collector/pdata"
	grpc  = "google.golang.org/grpc"
	expr  = "github.com/expr-lang/expr"
	yaml  = "go.yaml.in/yaml"
)

var rules = []rule{
	{packages: "our/trace", forbidden: []string{"our/", pdata, grpc, expr, yaml}, allowed: []string{"our/trace"}, reach: transitive,
		why: "the model stands on the standard library and the names of the semantic conventions"},
	{packages: "our/internal/diag", forbidden: []string{"our/", "go.opentelemetry.io", "github.com/"}, allowed: []string{"our/internal/diag"}, reach: transitive,
		why: "diagnostics stand on the standard library"},
	{packages: "our/internal/otlp", forbidden: []string{"our/"}, allowed: []string{"our/internal/otlp", "our/trace"}, reach: transitive,
		why: "the bridge knows the model only"},
	{packages: "our/receiver", forbidden: []string{"our/store", "our/assertions", "our/internal/run", "our/internal/report"}, reach: transitive,
		why: "the receiver gets a Sink"},
	{packages: "our/store", forbidden: []string{"our/"}, allowed: []string{"our/store", "our/trace"}, reach: transitive,
		why: "the store assembles, it neither receives nor judges"},
	{packages: "our/assertions", forbidden: []string{"our/store", "our/receiver", "our/internal/run", "our/internal/otlp", "our/internal/report"}, reach: transitive,
		why: "assertions are pure"},
	{packages: "our/assertions", forbidden: []string{"net", "os"}, allowed: []string{"net/url", "net/netip"}, reach: direct,
		why: "assertions touch no network, no files and start nothing"},
	{packages: "our/internal/run", forbidden: []string{"our/receiver", "our/internal/report", "our/internal/web"}, reach: transitive,
		why: "run gets a source of spans and emits events"},
	{packages: "our/internal/report", forbidden: []string{"our/store", "our/receiver"}, reach: direct,
		why: "reports render, they never write to the store"},
	{packages: "our/internal/web", forbidden: []string{"our/store", "our/receiver", "our/internal/run", "our/internal/report"}, reach: transitive,
		why: "pages render what they are given"},
	{packages: "our/", forbidden: []string{"our/cmd"}, reach: transitive,
		why: "nothing points up"},
	{packages: "our/", exempt: []string{"our/internal/otlp", "our/receiver", "our/internal/recording"}, forbidden: []string{pdata}, reach: direct,
		why: "pdata ends in otlp"},
	{packages: "our/", exempt: []string{"our/receiver", "our/internal/run/grpctrigger"}, forbidden: []string{grpc}, reach: direct,
		why: "grpc ends in the receiver and in the trigger that speaks it"},
	{packages: "our/", exempt: []string{"our/assertions"}, forbidden: []string{expr, yaml}, reach: direct,
		why: "expressions and YAML end in assertions"},
	{packages: "our/", exempt: []string{"our/cmd"}, forbidden: []string{"flag", "os/signal", "github.com/spf13/cobra"}, reach: direct,
		why: "only the program reads flags and signals"},
}

// listed is what go list says of one package.
type listed struct {
	ImportPath    string
	Imports, Deps []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	for _, r := range rules {
		bound := 0
		for _, p := range packages {
			if !under(p.ImportPath, r.packages) || matches(p.ImportPath, r.exempt) {
				continue
			}
			bound++
			imports := p.Imports
			if r.reach == transitive {
				imports = p.Deps
			}
			for _, i := range imports {
				if matches(i, r.forbidden) && !matches(i, r.allowed) {
					t.Errorf("%s imports %s: %s", p.ImportPath, i, r.why)
				}
			}
		}
		if bound == 0 {
			t.Errorf("no package is under %s: the rule %q checks nothing", r.packages, r.why)
		}
	}
}

func matches(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return under(path, p) })
}

// under reports whether path is the package that prefix names, or lies below it.
func under(path, prefix string) bool {
	if rest, ours := strings.CutPrefix(prefix, "our/"); ours {
		prefix = module + rest
	}
	dir := strings.TrimSuffix(prefix, "/")
	return path == dir || strings.HasPrefix(path, dir+"/")
}

func list(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", module+"...")
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %v\n%s", command, err, exit.Stderr)
		}
		t.Fatalf("%v: %v", command, err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			all = append(all, p)
		}
	}
	if len(all) < 8 {
		t.Fatalf("go list found only %d packages of the module", len(all))
	}
	return all
}
