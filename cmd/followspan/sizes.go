package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units of sizes, the largest first; all are powers of 1024.
var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// parseSize reads a number of bytes such as 64MiB or 1048576.
func parseSize(s string) (int64, error) {
	number, factor := s, int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			number, factor = n, u.bytes
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is no size: write something like 512MiB", s)
	}
	return n * factor, nil
}

// leastMemory is what a few blocks of spans take: with less hardly a request fits.
const leastMemory = 32 << 20

// parseMemory reads the value of --memory.
func parseMemory(s string) (int64, error) {
	n, err := parseSize(s)
	if err == nil && n < leastMemory {
		err = fmt.Errorf("%s is too little for spans: give it at least %s", s, formatSize(leastMemory))
	}
	if err != nil {
		return 0, fmt.Errorf("--memory: %w", err)
	}
	return n, nil
}

func formatSize(bytes int64) string {
	for _, u := range units {
		if bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(bytes, 10)
}
