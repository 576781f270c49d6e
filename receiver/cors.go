package receiver

import (
	"fmt"
	"net/http"
	"path"
	"slices"
)

// cors answers a browser's preflight and reports whether it did; to the answer of
// other requests it adds what lets the page read it (Fetch standard, 3.3).
func (s *Server) cors(w http.ResponseWriter, r *http.Request) (answered bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !s.allows(origin) {
		s.hint("cors "+origin, fmt.Sprintf("a page of %s tries to send spans, and its origin is not among those allowed", origin))
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	h.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (s *Server) allows(origin string) bool {
	return slices.ContainsFunc(s.settings.CORSOrigins, func(pattern string) bool {
		ok, err := path.Match(pattern, origin)
		return pattern == "*" || err == nil && ok
	})
}
