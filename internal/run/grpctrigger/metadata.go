package grpctrigger

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

// outgoing checks declared metadata, which travels with the call and with
// questions to reflection. The values of names in -bin are base64, as on the wire.
func outgoing(declared map[string][]string) (metadata.MD, *run.ActionError) {
	md := metadata.MD{}
	for name, values := range declared {
		key := strings.ToLower(name)
		if why := badName(key); why != "" {
			return nil, invalid(fmt.Sprintf("the metadata %q %s", name, why), "")
		}
		for _, v := range values {
			text, why := outgoingValue(key, v)
			if why != "" {
				return nil, invalid(fmt.Sprintf("the value of the metadata %q %s", name, why), "")
			}
			md.Append(key, text)
		}
	}
	return md, nil
}

// badName says what is wrong with a name in lower case; empty if nothing is.
func badName(key string) string {
	switch {
	case key == "":
		return "has no name"
	case strings.HasPrefix(key, "grpc-"), strings.Contains(" content-type te user-agent ", " "+key+" "):
		return "is set by gRPC itself"
	case strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "":
		return "has a name with other signs than letters, digits and -_."
	}
	return ""
}

func outgoingValue(key, value string) (text, why string) {
	if strings.HasSuffix(key, "-bin") {
		raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil {
			return "", "is not base64, as the name's end -bin asks"
		}
		return string(raw), ""
	}
	for _, r := range value {
		if r < ' ' || r > '~' {
			return "", fmt.Sprintf("has the sign %q, but only printable ASCII may travel; a name that ends in -bin takes base64", r)
		}
	}
	return value, ""
}

// withTrace returns the metadata of the call: the trace is always ours.
func withTrace(md metadata.MD, t run.TraceContext) metadata.MD {
	md = md.Copy()
	md.Delete("tracestate")
	if p := t.Traceparent(); p != "" {
		md.Set("traceparent", p)
	}
	if b := t.Baggage(strings.Join(md.Get("baggage"), ",")); b != "" {
		md.Set("baggage", b)
	}
	return md
}

// withoutTrace returns the metadata of questions to reflection. They belong to no
// flow, so they travel in a trace of their own that is not sampled: most servers
// report no spans for it.
func withoutTrace(md metadata.MD, t run.TraceContext) metadata.MD {
	md = md.Copy()
	md.Delete("tracestate")
	md.Delete("traceparent")
	if t.TraceID.IsZero() {
		return md
	}
	aside := t.TraceID
	for i := range aside {
		aside[i] = ^aside[i]
	}
	if aside != (trace.TraceID{}) {
		md.Set("traceparent", "00-"+aside.String()+"-"+t.SpanID.String()+"-00")
	}
	return md
}

// incoming merges header and trailer into one. The values of names in -bin become
// base64 again.
func incoming(parts ...metadata.MD) http.Header {
	h := http.Header{}
	for _, part := range parts {
		for name, values := range part {
			for _, v := range values {
				if strings.HasSuffix(name, "-bin") {
					v = base64.StdEncoding.EncodeToString([]byte(v))
				}
				h.Add(name, v)
			}
		}
	}
	return h
}
