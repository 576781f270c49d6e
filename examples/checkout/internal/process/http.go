package process

import (
	"context"
	"errors"
	"net"
	"net/http"
)

const anyPort = "127.0.0.1:0"

// ServeHTTP serves on a free port until the context ends, and returns once the
// requests that were under way are answered.
func ServeHTTP(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	drained := make(chan error, 1)
	context.AfterFunc(ctx, func() { drained <- server.Shutdown(context.WithoutCancel(ctx)) })
	Announce(listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}
