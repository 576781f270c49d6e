package assertions

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// parseDuration reads durations as Go writes them: 500ms, 1.5s, 1m30s. If text is none, hint is what was probably meant.
func parseDuration(text string) (d time.Duration, hint string, ok bool) {
	d, err := time.ParseDuration(text)
	if err == nil && text != "0" && d >= 0 && text[0] != '+' {
		return d, "", true
	}
	return 0, durationHint(text), false
}

var numberAndUnit = regexp.MustCompile(`^\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµμ]*)\s*$`)

// unitNames are units as people write them.
var unitNames = map[string]string{
	"nanosecond": "ns", "nano": "ns", "microsecond": "us", "micro": "us", "usec": "us", "millisecond": "ms", "milli": "ms", "msec": "ms",
	"second": "s", "sec": "s", "minute": "m", "min": "m", "hour": "h", "hr": "h", "s": "s", "ms": "ms", "us": "us", "ns": "ns", "m": "m", "h": "h",
}

func durationHint(text string) string {
	m := numberAndUnit.FindStringSubmatch(text)
	if m == nil {
		return "2s"
	}
	unit := strings.ToLower(m[2])
	if known, ok := unitNames[unit]; ok {
		return m[1] + known
	}
	if known, ok := unitNames[strings.TrimSuffix(unit, "s")]; ok {
		return m[1] + known
	}
	if unit == "d" || unit == "day" || unit == "days" {
		return "24h"
	}
	return m[1] + "s"
}

// durationLabel says why text is no duration.
func durationLabel(text string) string {
	switch m := numberAndUnit.FindStringSubmatch(text); {
	case text == "":
		return "a time such as 500ms, 1.5s or 2m is missing"
	case m != nil && m[2] == "":
		return fmt.Sprintf("%s has no unit: a time is written 500ms, 1.5s or 2m", text)
	case strings.HasPrefix(text, "-"):
		return "a time cannot be negative"
	}
	return fmt.Sprintf("%q is no time: one is written 500ms, 1.5s or 2m", text)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// isIdentifier reports whether text can be a name in expressions.
func isIdentifier(text string) bool { return identifier.MatchString(text) }

var notIdentifier = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// identifierFrom makes a name of text.
func identifierFrom(text string) string {
	name := strings.Trim(notIdentifier.ReplaceAllString(text, "_"), "_")
	if !isIdentifier(name) {
		name = "_" + name
	}
	return name
}
