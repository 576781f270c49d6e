package diag

import "strings"

// Suggest returns the candidate that name was probably meant to be, for "did you mean".
//
// It allows one slip (a letter too many, too few, wrong, or two swapped) from three letters on and two from six on,
// and any difference of case. Of equally near candidates it returns the first.
func Suggest(name string, candidates []string) (string, bool) {
	best, bestDistance := "", slips(name)+1
	for _, c := range candidates {
		if c == name {
			continue
		}
		if strings.EqualFold(c, name) {
			return c, true
		}
		if d := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(c)), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

func slips(name string) int {
	switch n := len([]rune(name)); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	}
	return 2
}

// distance is the optimal string alignment distance of a and b, or limit where it is not less than that.
func distance(a, b []rune, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next[0] = i + 1
		for j := range b {
			swap := 1
			if a[i] == b[j] {
				swap = 0
			}
			next[j+1] = min(next[j]+1, row[j+1]+1, row[j]+swap)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return min(row[len(b)], limit)
}

func abs(n int) int { return max(n, -n) }
