package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command of the language's documentation is one that the program takes.
func TestLanguageCommands(t *testing.T) {
	text, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)^    followspan (.*)$|`followspan ([^`]*)`").FindAllStringSubmatch(string(text), -1)
	if len(commands) < 4 {
		t.Fatalf("%d commands, want at least 4", len(commands))
	}
	for _, m := range commands {
		c, args, err := newRoot().Find(strings.Fields(m[1] + m[2]))
		if err == nil {
			err = c.ParseFlags(args)
		}
		if err == nil {
			err = c.ValidateArgs(c.Flags().Args())
		}
		if err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
	}
}
