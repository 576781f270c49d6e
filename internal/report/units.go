package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// duration formats d with as many digits as tell something.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + duration(-max(d, -1<<62))
	case d == 0:
		return "0ms"
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d)
	case d < time.Millisecond:
		return digits(float64(d)/1e3, 3) + "µs"
	case d < time.Second:
		return digits(float64(d)/1e6, 3) + "ms"
	case d < time.Minute:
		return digits(float64(d)/1e9, 4) + "s"
	}
	return d.Round(100 * time.Millisecond).String()
}

// digits formats v with so many significant digits, none of them a trailing zero
// behind the point.
func digits(v float64, n int) string {
	whole := len(strconv.Itoa(int(v)))
	s := strconv.FormatFloat(v, 'f', max(n-whole, 0), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// offset formats a time relative to the start of a flow.
func offset(d time.Duration) string {
	if d <= 0 {
		return duration(d)
	}
	return "+" + duration(d)
}

// count is "1 span", "2 spans".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number separates the thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// times is "once", "3 times".
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(n, "time")
}
