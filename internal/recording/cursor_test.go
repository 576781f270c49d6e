package recording

import (
	"encoding/json"
	"strings"
	"testing"
)

// A string ends at its quote, wherever in a word of eight bytes that and what is
// escaped before it stand.
func TestCursorText(t *testing.T) {
	for _, piece := range []string{"", `\"`, `\\`, `\\\"`, `\u0022`, `é`, "\u00a2", "\x7f!#", "[{"} {
		for before := range 18 {
			for after := range 18 {
				in := `"` + strings.Repeat("a", before) + piece + strings.Repeat("]", after) + `"`
				var want string
				if err := json.Unmarshal([]byte(in), &want); err != nil {
					t.Fatal(err)
				}
				c := &cursor{b: []byte(in + ":1")}
				if got := c.text(); got != want || c.i != len(in) {
					t.Fatalf("text of %s: %q and %d bytes, want %q and %d", in, got, c.i, want, len(in))
				}
				whole := `[{` + in + `:[` + in + `]}]`
				c = &cursor{b: []byte(whole + ",")}
				if c.skip(); c.i != len(whole) {
					t.Fatalf("%d bytes of %s were skipped", c.i, whole)
				}
			}
		}
	}
}
