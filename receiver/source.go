package receiver

import (
	"context"
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// source is where a request came from.
type source struct {
	address string // host:port
	agent   string // User-Agent
}

// maxAgent is how much of a User-Agent is kept; batches hold on to it.
const maxAgent = 256

func httpSource(r *http.Request) source {
	return source{r.RemoteAddr, clip(r.UserAgent())}
}

func grpcSource(ctx context.Context) (from source) {
	if p, ok := peer.FromContext(ctx); ok {
		from.address = p.Addr.String()
	}
	if agents := metadata.ValueFromIncomingContext(ctx, "user-agent"); len(agents) > 0 {
		from.agent = clip(agents[0])
	}
	return from
}

func clip(agent string) string {
	if len(agent) <= maxAgent {
		return agent
	}
	return strings.Clone(agent[:maxAgent]) // the whole one is not to be held
}

// host is the address without its port, which changes with every connection.
func (s source) host() string {
	if h, _, err := net.SplitHostPort(s.address); err == nil {
		return h
	}
	return s.address
}
