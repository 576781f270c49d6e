package gateway

import "testing"

func TestCharge(t *testing.T) {
	for name, c := range map[string]struct {
		slowBank bool
		keys     []string
		want     []charge
	}{
		"a key is charged once": {
			keys: []string{"a", "a", "b"},
			want: []charge{{"ch_1", true, true}, {"ch_1", true, true}, {"ch_2", true, true}},
		},
		"without a key a repetition is a second charge": {
			keys: []string{"", ""},
			want: []charge{{"ch_1", true, true}, {"ch_2", true, true}},
		},
		"a slow bank settles a key when asked again": {
			slowBank: true,
			keys:     []string{"a", "a"},
			want:     []charge{{"ch_1", true, false}, {"ch_1", true, true}},
		},
		"a slow bank settles the second charge without a key": {
			slowBank: true,
			keys:     []string{"", ""},
			want:     []charge{{"ch_1", true, false}, {"ch_2", true, true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gateway{slowBank: c.slowBank, byKey: map[string]charge{}}
			for i, key := range c.keys {
				if got := g.charge(key); got != c.want[i] {
					t.Errorf("charge %d with key %q: got %+v, want %+v", i+1, key, got, c.want[i])
				}
			}
		})
	}
}
