package store

import (
	"testing"

	"github.com/followspan/followspan/trace"
)

// What a client threw tells whether it gave up waiting as its status does.
func TestGaveUpByAnException(t *testing.T) {
	for exception, want := range map[trace.Attr]bool{
		{Key: "exception.type", Value: trace.StringValue("java.net.SocketTimeoutException")}:   true,
		{Key: "exception.message", Value: trace.StringValue("read: connection reset by peer")}: true,
		{Key: "exception.type", Value: trace.StringValue("java.net.ConnectException")}:         false,
		{Key: "exception.message", Value: trace.StringValue("dial tcp: i/o timeout")}:          false,
		{Key: "exception.stacktrace", Value: trace.StringValue("at awaitTimeout")}:             false,
	} {
		var w trace.Builder
		w.Add(&trace.SpanData{ID: trace.SpanID{1}, Kind: trace.Client, Status: trace.Error,
			Events: []trace.EventData{{Name: "exception", Attrs: []trace.Attr{exception}}}})
		if got := gaveUp(w.Commit()[0]); got != want {
			t.Errorf("%s=%s: gave up %v, want %v", exception.Key, exception.Value, got, want)
		}
	}
}
