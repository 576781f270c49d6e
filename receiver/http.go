package receiver

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// maxHeaderBytes bounds the header of a request, in both protocols.
const maxHeaderBytes = 64 << 10

func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		ReadHeaderTimeout: s.settings.ReadTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState: func(c net.Conn, state http.ConnState) {
			if c, ok := c.(*conn); ok {
				c.busy.Store(state == http.StateActive)
			}
		},
		ErrorLog: log.New(io.Discard, "", 0), // cut connections; senders see their own end
	}
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v) // not a fault but how a handler cuts its connection
		default:
			s.respondRefusal(w, r, internal(v))
		}
	}()
	if r.ContentLength != 0 {
		// Also what nobody wants is read, to its end, before the next request.
		if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.settings.ReadTimeout)); err != nil {
			return // the connection is gone
		}
	}
	sig, advice := s.route(r)
	if sig != unknownSignal && s.cors(w, r) {
		return
	}
	if bad := s.authorize(r.Header.Values("Authorization")); bad != nil {
		s.stats.request(sig)
		s.respondRefusal(w, r, bad)
		return
	}
	if sig != unknownSignal {
		s.serveOTLP(w, r, sig, advice)
		return
	}
	s.serveOther(w, r)
}

// serveOTLP answers one request of OTLP/HTTP.
func (s *Server) serveOTLP(w http.ResponseWriter, r *http.Request, sig signal, advice string) {
	if r.Method != http.MethodPost {
		respondFailure(w, answerFormat(r), wrongMethod(r)) // a person or a probe, no data
		return
	}
	s.stats.request(sig)
	f, bad := requestFormat(r)
	if bad != nil {
		s.respondRefusal(w, r, bad)
		return
	}
	p, bad := s.receiveHTTP(w, r, sig, f)
	if bad != nil {
		if sig == traces {
			s.lose(r.Context(), bad, httpSource(r))
		}
		s.respondRefusal(w, r, bad)
		return
	}
	if advice != "" {
		s.advise(&p, "your exporter "+advice)
	}
	respond(w, f, http.StatusOK, p.answer(f))
}

// receiveHTTP reads the request and takes what it brings.
func (s *Server) receiveHTTP(w http.ResponseWriter, r *http.Request, sig signal, f format) (partial, *failure) {
	if err := s.gate.enter(); err != nil {
		return partial{}, unavailable(err)
	}
	defer s.gate.leave()
	part := &reservation{of: s.inFlight}
	defer part.shrink(0)
	body, bad := s.readBody(w, r, part)
	if bad != nil {
		return partial{}, bad
	}
	defer putBuffer(body)
	if sig != traces {
		return partial{}, nil
	}
	return s.export(r.Context(), body.Bytes(), f, httpSource(r))
}

// respondRefusal answers and counts a request that was refused. What is left of its
// body is read first: a sender that is still sending would not see the answer.
func (s *Server) respondRefusal(w http.ResponseWriter, r *http.Request, f *failure) {
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, 2*int64(s.settings.MaxRequestBytes)) // within the ReadTimeout
	}
	respondFailure(w, answerFormat(r), s.refuse(f, httpSource(r)))
}

func wrongMethod(r *http.Request) *failure {
	return &failure{
		reason: "wrong method", code: codes.Unimplemented, http: http.StatusMethodNotAllowed,
		message: fmt.Sprintf("%s %s: OTLP is sent by POST", r.Method, r.URL.Path),
	}
}

func requestFormat(r *http.Request) (format, *failure) {
	if f, ok := contentFormat(r); ok {
		return f, nil
	}
	return 0, &failure{
		reason: "unknown content type", code: codes.InvalidArgument, http: http.StatusUnsupportedMediaType,
		message: fmt.Sprintf("content type %q: OTLP is application/x-protobuf or application/json", r.Header.Get("Content-Type")),
	}
}

// contentFormat reads the content type; parameters and case do not matter.
func contentFormat(r *http.Request) (f format, ok bool) {
	header := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		// A broken parameter; the type before it is what counts.
		media, _, _ = strings.Cut(header, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	switch media {
	case "application/x-protobuf", "application/protobuf":
		return protobuf, true
	case "application/json":
		return jsonFormat, true
	}
	return 0, false
}

// answerFormat is the request's encoding, or JSON where that cannot be told: then a
// person reads the answer.
func answerFormat(r *http.Request) format {
	if f, ok := contentFormat(r); ok {
		return f
	}
	return jsonFormat
}

func respondFailure(w http.ResponseWriter, as format, f *failure) {
	switch f.http {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retry.Seconds()))))
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusUnsupportedMediaType:
		w.Header().Set("Accept-Encoding", codings)
	}
	body, err := f.answer(as)
	if err != nil {
		http.Error(w, errors.Join(err, errors.New(f.message)).Error(), f.http)
		return
	}
	respond(w, as, f.http, body)
}

func respond(w http.ResponseWriter, as format, code int, body []byte) {
	media := "application/x-protobuf"
	if as == jsonFormat {
		media = "application/json"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // a sender that went away need not know
}
