package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProgress(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, TextSettings{Width: 60})
	update := func(d time.Duration, spans int, awaiting ...string) {
		if err := p.Update(Waiting{d, spans, awaiting}); err != nil {
			t.Fatal(err)
		}
	}
	update(1230*milli, 14, "email ~ process orders", "payment", "inventory is reserved before the card is charged")
	update(1290*milli, 14, "email ~ process orders", "payment", "inventory is reserved before the card is charged")
	update(1300*milli, 1)
	update(61*time.Second, 2000, "evil\x1b[2J\nname")
	if err := p.Clear(); err != nil {
		t.Fatal(err)
	}
	if err := p.Clear(); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\r")
	want := []string{"", "waiting 1.2s · 14 spans · awaiting: email ~ process or…, +2", "waiting 1.3s · 1 span" + strings.Repeat(" ", 38),
		`waiting 1m1s · 2,000 spans · awaiting: evil\x1b[2J\nname`, strings.Repeat(" ", 56), ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the terminal gets (-want +got):\n%s", diff)
	}
}

// A line that wrapped would stay.
func TestProgressNarrow(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, TextSettings{Width: 16})
	if err := p.Read(Reading{Bytes: 1 << 20, Of: 2 << 20, Spans: 1}); err != nil {
		t.Fatal(err)
	}
	if want := "\rreading 1.0MiB…"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestProgressRead(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, TextSettings{})
	for _, s := range []Reading{{Bytes: 13 << 19, Of: 200 << 20, Spans: 14000}, {Bytes: 1 << 20, Spans: 1}} {
		if err := p.Read(s); err != nil {
			t.Fatal(err)
		}
	}
	want := "\rreading 6.5MiB of 200.0MiB · 14,000 spans\rreading 1.0MiB · 1 span" + strings.Repeat(" ", 18)
	if b.String() != want {
		t.Errorf("\n got %q\nwant %q", b.String(), want)
	}
}
