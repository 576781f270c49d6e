package recording

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever references the span before had, the parent is the first that says child of.
func TestJaegerParents(t *testing.T) {
	const p, x = 0xa, 0xb
	child := func(id int) string { return fmt.Sprintf(`{"refType":"CHILD_OF","traceID":"1","spanID":"%x"}`, id) }
	follows := func(id int) string { return fmt.Sprintf(`{"refType":"FOLLOWS_FROM","traceID":"1","spanID":"%x"}`, id) }
	tests := []struct {
		references []string
		parent     int
		links      []int
	}{
		{[]string{child(p), follows(x)}, p, []int{x}},
		{[]string{follows(x), child(p)}, p, []int{x}},
		{[]string{child(p), follows(x), follows(p)}, p, []int{x, p}},
		{[]string{follows(x), follows(p)}, x, []int{x, p}},
		{[]string{follows(x), follows(x), child(p)}, p, []int{x, x}},
		{[]string{child(x), child(p)}, x, []int{p}},
	}
	var spans, want []string
	for i, tt := range tests {
		spans = append(spans, fmt.Sprintf(`{"traceID":"1","spanID":"%x","references":[%s]}`, i+1, strings.Join(tt.references, ",")))
		want = append(want, fmt.Sprintf("%x < %x, %x", i+1, tt.parent, tt.links))
	}
	read, _ := mustRead(t, []byte(`{"data":[{"traceID":"1","spans":[`+strings.Join(spans, ",")+`],"processes":{}}]}`))
	var got []string
	for _, s := range read {
		id, parent, links := s.ID(), s.ParentID(), []int{}
		for l := range s.Links() {
			links = append(links, int(l.SpanID()[7]))
		}
		got = append(got, fmt.Sprintf("%x < %x, %x", id[7], parent[7], links))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("span < parent, links (-want +got)\n%s", diff)
	}
}
