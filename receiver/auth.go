package receiver

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
)

// authorize checks the values of the Authorization headers; nil lets the request in
// (RFC 6750, 2.1; OTLP 1.x leaves authentication to the transport).
func (s *Server) authorize(headers []string) *failure {
	if s.settings.Token == "" {
		return nil
	}
	f := &failure{reason: "no token", code: codes.Unauthenticated, http: http.StatusUnauthorized}
	if len(headers) > 0 {
		f.reason = "wrong token"
		scheme, token, _ := strings.Cut(headers[0], " ")
		if strings.EqualFold(scheme, "Bearer") && sameSecret(strings.TrimSpace(token), s.settings.Token) {
			return nil
		}
	}
	f.message = f.reason + ": this endpoint asks for a bearer token, set OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>"
	f.hint = "it was turned away with " + f.reason + "; its OTEL_EXPORTER_OTLP_HEADERS must be authorization=Bearer%20<token>"
	return f
}

// sameSecret takes the same time whatever the difference, in length too.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
