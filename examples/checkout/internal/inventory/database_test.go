package inventory

import "testing"

func TestSummary(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT price FROM items WHERE sku = ?":     "SELECT items",
		"UPDATE items SET on_hand = on_hand - ?":    "UPDATE items",
		"INSERT INTO reservations VALUES (?, ?, ?)": "INSERT reservations",
		"PRAGMA optimize":                           "PRAGMA optimize",
		"":                                          "",
	} {
		if got := summary(query); got != want {
			t.Errorf("summary(%q): got %q, want %q", query, got, want)
		}
	}
}
