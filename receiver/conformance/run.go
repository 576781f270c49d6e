package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	_ "google.golang.org/grpc/encoding/gzip" // registers gzip
)

// Target is where a receiver listens, each as host:port.
type Target struct{ GRPC, HTTP string }

// Run sends a case to a receiver that is in its state. It returns what is wrong with
// the answer, each in a sentence; nothing if the receiver conforms.
func Run(ctx context.Context, target Target, c Case) []string {
	if c.Transport == GRPC {
		return runGRPC(ctx, target, c)
	}
	return runHTTP(ctx, target, c)
}

func runHTTP(ctx context.Context, target Target, c Case) (wrong []string) {
	r, err := http.NewRequestWithContext(ctx, c.Method, "http://"+target.HTTP+c.Path, strings.NewReader(c.Payload))
	if err != nil {
		return []string{err.Error()}
	}
	r.Header.Set("Content-Type", c.Transport.mediaType())
	for _, h := range c.Header {
		r.Header.Set(h[0], h[1])
		if h[1] == "" {
			r.Header.Del(h[0])
		}
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return []string{"no answer: " + err.Error()}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return []string{"half an answer: " + err.Error()}
	}
	if res.StatusCode != c.Want.HTTP {
		wrong = append(wrong, fmt.Sprintf("status %d, want %d", res.StatusCode, c.Want.HTTP))
	}
	if c.Want.Header != "" && res.Header.Get(c.Want.Header) == "" {
		wrong = append(wrong, "no header "+c.Want.Header)
	}
	if c.Want.NoBody {
		return wrong
	}
	as := c.answers()
	if got := res.Header.Get("Content-Type"); got != as.mediaType() {
		wrong = append(wrong, fmt.Sprintf("content type %q, want %q", got, as.mediaType()))
	}
	if res.StatusCode == http.StatusOK {
		return append(wrong, c.Want.success(as, body)...)
	}
	return append(wrong, c.Want.failure(as, body)...)
}

// answers is the encoding of the answer: that of the request, or JSON where the
// request has none that is known.
func (c Case) answers() Transport {
	if c.Want.HTTP == http.StatusUnsupportedMediaType && len(c.Header) > 0 && c.Header[0][0] == "Content-Type" {
		return JSON
	}
	return c.Transport
}

// success checks an Export…ServiceResponse.
func (a Answer) success(as Transport, body []byte) []string {
	response := ptraceotlp.NewExportResponse()
	unmarshal := response.UnmarshalProto
	if as == JSON {
		unmarshal = response.UnmarshalJSON
	}
	if err := unmarshal(body); err != nil {
		return []string{fmt.Sprintf("the body %.100q is no response: %v", body, err)}
	}
	partial := response.PartialSuccess()
	if got := partial.RejectedSpans(); got != int64(a.Rejected) {
		return []string{fmt.Sprintf("%d spans rejected, want %d", got, a.Rejected)}
	}
	if a.Rejected > 0 && partial.ErrorMessage() == "" {
		return []string{"partial_success does not say why"}
	}
	if a.Rejected == 0 && partialIsSet(as, body) {
		return []string{fmt.Sprintf("partial_success is set: %q", body)}
	}
	return nil
}

// partialIsSet looks at the encoding: a decoded message does not tell.
func partialIsSet(as Transport, body []byte) bool {
	if as != JSON {
		return len(body) > 0
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return false
	}
	value, set := fields["partialSuccess"]
	return set && string(value) != "null"
}

// failure checks a google.rpc.Status.
func (a Answer) failure(as Transport, body []byte) []string {
	st := &spb.Status{}
	unmarshal := proto.Unmarshal
	if as == JSON {
		unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal
	}
	if err := unmarshal(body, st); err != nil {
		return []string{fmt.Sprintf("the body %.100q is no google.rpc.Status", body)}
	}
	var wrong []string
	if st.Message == "" {
		wrong = append(wrong, "the status has no message")
	}
	return append(wrong, a.details(st)...)
}

func (a Answer) details(st *spb.Status) (wrong []string) {
	var types []string
	for _, d := range st.GetDetails() {
		types = append(types, string(d.MessageName().Name()))
	}
	if a.Detail != "" && !slices.Contains(types, a.Detail) {
		wrong = append(wrong, fmt.Sprintf("details %v, want %s", types, a.Detail))
	}
	for _, d := range a.Unlike {
		if slices.Contains(types, d) {
			wrong = append(wrong, "a detail "+d)
		}
	}
	return wrong
}

// raw passes messages through as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	text, ok := v.(string)
	if !ok {
		return nil, errors.New("want a string")
	}
	return mem.BufferSlice{mem.SliceBuffer(text)}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return errors.New("want bytes")
	}
	*to = data.Materialize()
	return nil
}

// mislabelling says gzip and sends what it was given.
type mislabelling struct{}

func (mislabelling) Type() string { return "gzip" }

func (mislabelling) Do(w io.Writer, p []byte) error {
	_, err := w.Write(p)
	return err
}

func runGRPC(ctx context.Context, target Target, c Case) []string {
	dial := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	call := []grpc.CallOption{grpc.ForceCodecV2(raw{}), grpc.MaxCallSendMsgSize(2 * tooMuch)}
	switch {
	case c.Coding == "no gzip":
		//lint:ignore SA1019 only the old interface does not register the name for everyone.
		dial = append(dial, grpc.WithCompressor(mislabelling{}))
	case c.Coding != "":
		if encoding.GetCompressor(c.Coding) == nil {
			return []string{"the sender has no coding " + c.Coding}
		}
		call = append(call, grpc.UseCompressor(c.Coding))
	}
	conn, err := grpc.NewClient(target.GRPC, dial...)
	if err != nil {
		return []string{err.Error()}
	}
	defer func() { _ = conn.Close() }() // only ever says that it is closed
	var answer []byte
	err = conn.Invoke(ctx, c.Method, c.Payload, &answer, call...)
	st := status.Convert(err)
	var wrong []string
	if st.Code() != c.Want.GRPC {
		wrong = append(wrong, fmt.Sprintf("%s (%s), want %s", st.Code(), st.Message(), c.Want.GRPC))
	}
	if st.Code() == codes.OK {
		return append(wrong, c.Want.success(GRPC, answer)...)
	}
	return append(wrong, c.Want.details(st.Proto())...)
}
