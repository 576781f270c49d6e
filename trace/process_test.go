package trace

import "testing"

func TestIsLocal(t *testing.T) {
	const local, remote = 0x100, 0x300
	shop, stock := "shop", "stock"
	for _, tt := range []struct {
		name          string
		parent, child Kind
		of            string // the child's service
		flags         uint32
		want          bool
	}{
		{"work within a request", Server, Internal, shop, 0, true},
		{"a call of a request", Server, Client, shop, 0, true},
		{"a call within a call", Client, Client, shop, 0, true},
		{"work below a call may be the callee's", Client, Internal, shop, 0, false},
		{"unless its SDK knows better", Client, Internal, shop, local, true},
		{"a request that was sent", Internal, Server, shop, 0, false},
		{"a framework's span of the same request", Server, Server, shop, local, true},
		{"work that another process goes on with", Internal, Internal, shop, remote, false},
		{"work of another service", Internal, Internal, stock, local, false},
	} {
		var w Builder
		add := func(service string, kind Kind, flags uint32) {
			w.SetResource(ResourceData{Attrs: []Attr{{Key: "service.name", Value: StringValue(service)}}})
			w.Add(&SpanData{Kind: kind, Flags: flags})
		}
		add(shop, tt.parent, 0)
		add(tt.of, tt.child, tt.flags)
		spans := w.Commit()
		if got := isLocal(spans[0], spans[1]); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
