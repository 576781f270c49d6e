package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command of the documentation is one that the program takes.
func TestDocumentedCommands(t *testing.T) {
	for path, least := range map[string]int{"../../docs/language.md": 4, "../../docs/receiver.md": 2, "../../docs/recordings.md": 7} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands := regexp.MustCompile("(?m)^    followspan (.*)$|`followspan ([^`]*)`").FindAllStringSubmatch(string(text), -1)
		if len(commands) < least {
			t.Fatalf("%s: %d commands, want at least %d", path, len(commands), least)
		}
		for _, m := range commands {
			c, args, err := newRoot().Find(words(m[1] + m[2]))
			if err == nil {
				err = c.ParseFlags(args)
			}
			if err == nil {
				err = c.ValidateArgs(c.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %s: %v", path, m[0], err)
			}
		}
	}
}

// words parts a command line as a shell does, as far as the documentation needs it.
func words(line string) (all []string) {
	for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(w, "'"))
	}
	return all
}

// Every flag of the receiver is documented with its default.
func TestDocumentedFlags(t *testing.T) {
	text, err := os.ReadFile("../../docs/receiver.md")
	if err != nil {
		t.Fatal(err)
	}
	newReceive().Flags().VisitAll(func(f *flag) {
		row := regexp.MustCompile("(?m)^\\| .*`--" + f.Name + "`.* \\| (`" + regexp.QuoteMeta(strings.Trim(f.DefValue, "[]")) + "`|none) \\|")
		if !row.Match(text) {
			t.Errorf("docs/receiver.md has no row for --%s with its default, %q", f.Name, f.DefValue)
		}
	})
}
