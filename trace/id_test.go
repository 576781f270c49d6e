package trace

import "testing"

func TestShortTrace(t *testing.T) {
	for want, id := range map[string]TraceID{"4bf92f35": {0x4b, 0xf9, 0x2f, 0x35, 1}, "ab000000": {8: 0xab}, "00000001": {0: 0, 3: 1}, "00000abc": {14: 0x0a, 15: 0xbc}} {
		if got := id.Short(); got != want {
			t.Errorf("%v: %s, want %s", id, got, want)
		}
	}
}
