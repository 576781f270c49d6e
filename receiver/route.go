package receiver

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"

	"google.golang.org/grpc/codes"
)

// paths are those of OTLP/HTTP (OTLP 1.x, "OTLP/HTTP Request").
var paths = map[string]signal{
	"/v1/traces":              traces,
	"/v1/metrics":             metrics,
	"/v1/logs":                logs,
	"/v1development/profiles": profiles,
}

// route tells which signal the path is for. Senders whose endpoint lacks the path,
// names it twice, or has a slash too many are served and told once; a redirect
// would lose the body. Advice is what to tell them in the answer.
func (s *Server) route(r *http.Request) (sig signal, advice string) {
	if sig, ok := paths[r.URL.Path]; ok {
		return sig, ""
	}
	if _, ok := contentFormat(r); !ok || r.Method != http.MethodPost {
		return unknownSignal, ""
	}
	clean := path.Clean("/" + r.URL.Path)
	sig, meant := traces, "/v1/traces"
	if clean != "/" {
		if sig, meant = doubled(clean); sig == unknownSignal {
			return unknownSignal, ""
		}
	}
	advice = fmt.Sprintf("posts to %q, which should be %q: OTEL_EXPORTER_OTLP_ENDPOINT takes no path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT the whole one", r.URL.Path, meant)
	if !s.hint("path "+r.URL.Path+" "+httpSource(r).host(), r.RemoteAddr+" "+advice) {
		advice = ""
	}
	return sig, advice
}

// doubled recognises paths such as /v1/traces/v1/metrics: the last part counts.
func doubled(clean string) (signal, string) {
	for p, sig := range paths {
		rest, ok := strings.CutSuffix(clean, p)
		if !ok {
			continue
		}
		if _, known := paths[rest]; known || rest == "" {
			return sig, p
		}
	}
	return unknownSignal, ""
}

func notFound(r *http.Request) *failure {
	return &failure{
		reason: "unknown path", code: codes.NotFound, http: http.StatusNotFound,
		message: fmt.Sprintf("%s %s: not found; spans go to POST /v1/traces", r.Method, r.URL.Path),
	}
}

func newRoutes(routes map[string]http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.Handle(pattern, h)
	}
	return mux
}

// serveOther serves a path that is not OTLP's.
func (s *Server) serveOther(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.routes.Handler(r); pattern == "" {
		if r.Method == http.MethodPost {
			s.respondRefusal(w, r, notFound(r)) // it may have been spans
			return
		}
		respondFailure(w, answerFormat(r), notFound(r))
		return
	}
	// A page that is being followed must not hold up Shutdown.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	s.routes.ServeHTTP(w, r.WithContext(ctx))
}
