package main

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/report"
)

// textSettings suit the writer: colour on a terminal only and not under NO_COLOR
// (https://no-color.org), plain ASCII where the locale is not UTF-8.
func textSettings(w io.Writer, getenv func(string) string) report.TextSettings {
	s := report.TextSettings{ASCII: !isUTF8(getenv)}
	if width, ok := terminalWidth(w); ok {
		s.Width = width
		s.Color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	}
	return s
}

func diagStyle(s report.TextSettings) diag.Style {
	return diag.Style{ASCII: s.ASCII, Color: s.Color, Columns: s.Width}
}

// terminalWidth reports false if w is no terminal.
func terminalWidth(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && width > 0
}

// ownInput is the standard input for a command behind --. It is nil if that is a terminal,
// which would stop whoever reads it from another process group.
func ownInput() *os.File {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	return os.Stdin
}

// isUTF8 asks the locale as POSIX ranks its variables.
func isUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}
