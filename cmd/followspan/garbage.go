package main

import (
	"os"
	"runtime/debug"
)

// How much garbage may lie beside what is kept, in percent of it.
const (
	liveGarbage     = 50
	recordedGarbage = 25
)

// collectEarly has garbage collected when there is so much of it, unless GOGC says
// otherwise. Most of the memory is spans, which take no time to be collected around: that
// makes it cheap to take little more than --memory says.
func collectEarly(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
