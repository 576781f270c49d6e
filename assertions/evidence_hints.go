package assertions

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
)

// hints says what may have happened to two values that should be one.
func (x *explainer) hints(parts []part) {
	if len(parts) != 2 {
		if len(parts) == 1 {
			x.numberInString(parts[0].value)
		}
		return
	}
	a, b := parts[0].value, parts[1].value
	switch {
	case a.Kind() == lang.String && b.Kind() == lang.String:
		x.textHints(a.Str(), b.Str())
	case a.Kind() == lang.String:
		x.numberHints(a.Str(), b)
	case b.Kind() == lang.String:
		x.numberHints(b.Str(), a)
	default:
		m, ok := a.Number()
		n, also := b.Number()
		if ok && also {
			x.factor(m, n)
		}
	}
}

func (x *explainer) textHints(a, b string) {
	switch {
	case a == b:
	case strings.EqualFold(a, b):
		x.note("The two differ only in upper and lower case.")
	case strings.TrimSpace(a) == strings.TrimSpace(b):
		x.note("The two differ only in white space at their ends.")
	case strings.EqualFold(strings.Map(alphanumeric, a), strings.Map(alphanumeric, b)):
		x.note("The two differ only in punctuation or case.")
	}
}

func alphanumeric(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f {
		return r
	}
	return -1
}

// numberHints compares a string of digits with a number.
func (x *explainer) numberHints(s string, number lang.Value) {
	n, ok := number.Number()
	m, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if !ok || err != nil {
		return
	}
	text := fmt.Sprintf("The string %q reads as a number", clone(s))
	switch factor := n / m; {
	case m == n:
		x.note("%s, and it is the same number: only its type changed on the way.", text)
	case isFactor(factor):
		x.note("%s, and %s is %s times that: its type changed on the way, and its unit.", text, x.show(number), trimFloat(factor))
	case isFactor(1 / factor):
		x.note("%s, and it is %s times %s: its type changed on the way, and its unit.", text, trimFloat(1/factor), x.show(number))
	default:
		x.note("%s, but another one.", text)
	}
}

// numberInString is the hint for a value that should be a number.
func (x *explainer) numberInString(v lang.Value) {
	if v.Kind() != lang.String {
		return
	}
	s := v.Str()
	if _, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
		x.note("The string %q reads as a whole number: only its type is wrong.", clone(s))
	} else if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		x.note("The string %q reads as a number with a decimal point: its type is wrong, and its unit may be.", clone(s))
	}
}

// factor notes that two numbers are the same in another unit.
func (x *explainer) factor(a, b float64) {
	if a == 0 || b == 0 {
		return
	}
	for _, f := range []float64{a / b, b / a} {
		if isFactor(f) {
			x.note("One is %s times the other: is it the unit?", trimFloat(f))
			return
		}
	}
}

// isFactor reports whether a ratio is one between units: cents, milliseconds,
// seconds and minutes, binary thousands.
func isFactor(f float64) bool {
	for _, u := range []float64{60, 100, 1000, 1024, 3600, 1e6, 1e9} {
		if math.Abs(f-u) < 1e-9*u {
			return true
		}
	}
	return false
}

func trimFloat(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', -1, 64) }
