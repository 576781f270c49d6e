package receiver_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/receiver"
)

// bytesCodec sends and receives messages as they are on the wire.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// call sends a request and returns the answer as bytes.
func call(t *testing.T, s *receiver.Server, request string, options ...grpc.CallOption) (string, error) {
	t.Helper()
	in, out := []byte(request), []byte(nil)
	c := connect(t, s.GRPCAddr().String())
	options = append(options, grpc.ForceCodecV2(bytesCodec{}))
	err := c.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &in, &out, options...)
	return string(out), err
}

// wantStatus checks code and details, named by their types.
func wantStatus(t *testing.T, err error, code codes.Code, details ...string) {
	t.Helper()
	st := status.Convert(err)
	var got []string
	for _, d := range st.Details() {
		switch d.(type) {
		case *errdetails.RetryInfo:
			got = append(got, "RetryInfo")
		case *errdetails.BadRequest:
			got = append(got, "BadRequest")
		default:
			t.Errorf("unknown detail %v", d)
		}
	}
	if st.Code() != code || !cmp.Equal(got, details) {
		t.Errorf("status %v %v (%s), want %v %v", st.Code(), got, st.Message(), code, details)
	}
}

// OTLP 1.x, "Full Success": partial_success is left unset.
func TestGRPCFullSuccess(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for _, request := range []string{inProtobuf(t, batch(0, 1)), "", "\n\x00", "\n\x02\x12\x00"} {
		if answer, err := call(t, s, request); answer != "" || err != nil {
			t.Errorf("answer to %q: %q, %v; want an empty message", request, answer, err)
		}
	}
	wantSpans(t, sink, 1)
}

// OTLP 1.x, "Partial Success".
func TestGRPCPartialSuccess(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	r := batch(1, 3)
	r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).SetSpanID([8]byte{})
	answer, err := exporter(t, s).Export(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `1 spans of service "checkout": span id is all zero`
	if p := answer.PartialSuccess(); p.RejectedSpans() != 1 || p.ErrorMessage() != want {
		t.Errorf("rejected %d: %s", p.RejectedSpans(), p.ErrorMessage())
	}
	wantSpans(t, sink, 2)
	wantRefused(t, s, receiver.Refused{Reason: "span id is all zero", Service: "checkout", Spans: 1})
}

// OTLP 1.x, "Failures": bad data is INVALID_ARGUMENT with BadRequest details.
func TestGRPCBadData(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	_, err := call(t, s, "\n\xff")
	wantStatus(t, err, codes.InvalidArgument, "BadRequest")
	wantRefused(t, s, receiver.Refused{Reason: "malformed request", Requests: 1})
}

// OTLP 1.x, "OTLP/gRPC Throttling".
func TestGRPCSinkErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   codes.Code
		detail string
	}{
		{errors.New("memory limit"), codes.Unavailable, "RetryInfo"},
		{receiver.Permanent(errors.New("closed for good")), codes.InvalidArgument, "BadRequest"},
	} {
		s := start(t, receiver.Settings{}, &memory{err: c.err})
		_, err := call(t, s, inProtobuf(t, batch(0, 1)))
		wantStatus(t, err, c.code, c.detail)
		if got := s.Stats(); got.Spans != 0 || got.Requests != 1 {
			t.Errorf("stats %+v, want a request and no spans", got)
		}
	}
}

// OTLP 1.x: RESOURCE_EXHAUSTED is final unless it has RetryInfo.
func TestGRPCTooLarge(t *testing.T) {
	s := start(t, receiver.Settings{MaxRequestBytes: 10_000}, &memory{})
	for _, options := range [][]grpc.CallOption{{}, {grpc.UseCompressor("gzip")}, {grpc.UseCompressor("zstd")}, {grpc.UseCompressor("snappy")}, {grpc.UseCompressor("deflate")}} {
		_, err := call(t, s, strings.Repeat("\n\x00", 6000), options...)
		wantStatus(t, err, codes.ResourceExhausted)
	}
	wantRefused(t, s, receiver.Refused{Reason: "request too large", Requests: 5})
}

func TestGRPCCompression(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	for i, name := range []string{"gzip", "zstd", "snappy", "deflate", "identity"} {
		r := batch(i, 2)
		r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).SetSpanID([8]byte{}) // for an answer worth compressing
		answer, err := exporter(t, s).Export(t.Context(), r, grpc.UseCompressor(name))
		if err != nil || answer.PartialSuccess().RejectedSpans() != 1 {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	wantSpans(t, sink, 5)
}

// mislabelled says gzip and sends what it was given.
type mislabelled struct{}

func (mislabelled) Type() string { return "gzip" }

func (mislabelled) Do(w io.Writer, p []byte) error {
	_, err := w.Write(p)
	return err
}

func TestGRPCCorruptCompression(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	//lint:ignore SA1019 only the old interface does not register the name for everyone.
	_, err := exporter(t, s, grpc.WithCompressor(mislabelled{})).Export(t.Context(), batch(0, 1))
	wantStatus(t, err, codes.Internal)
	wantRefused(t, s, receiver.Refused{Reason: "corrupt compression", Requests: 1})
}

// Senders that export every signal must not fill their logs with UNIMPLEMENTED.
func TestGRPCOtherSignals(t *testing.T) {
	sink := &memory{}
	s := start(t, receiver.Settings{}, sink)
	c := connect(t, s.GRPCAddr().String())
	if _, err := pmetricotlp.NewGRPCClient(c).Export(t.Context(), pmetricotlp.NewExportRequest()); err != nil {
		t.Error(err)
	}
	if _, err := plogotlp.NewGRPCClient(c).Export(t.Context(), plogotlp.NewExportRequest()); err != nil {
		t.Error(err)
	}
	if got := s.Stats(); got.Metrics != 1 || got.Logs != 1 || got.Requests != 0 {
		t.Errorf("stats: %+v", got)
	}
	err := c.Invoke(t.Context(), "/some.Other/Method", &[]byte{}, &[]byte{}, grpc.ForceCodecV2(bytesCodec{}))
	wantStatus(t, err, codes.Unimplemented)
}

func TestLogsInPlaceOfTraces(t *testing.T) {
	l := plog.NewLogs()
	l.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetTimestamp(1)
	request, err := plogotlp.NewExportRequestFromLogs(l).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	warned := make(chan string, 2)
	s := start(t, receiver.Settings{Warn: func(hint string) { warned <- hint }}, &memory{})
	for range 2 {
		_, err = call(t, s, string(request))
		wantStatus(t, err, codes.InvalidArgument, "BadRequest")
		if !strings.Contains(err.Error(), "this is a logs request") {
			t.Errorf("no hint in %v", err)
		}
	}
	if hint := <-warned; !strings.Contains(hint, "this is a logs request") {
		t.Errorf("warned %q", hint)
	}
	if len(warned) > 0 {
		t.Error("warned twice")
	}
}

func TestPanicOfTheSinkIsAnswered(t *testing.T) {
	s := start(t, receiver.Settings{}, panicking{})
	_, err := call(t, s, inProtobuf(t, batch(0, 1)))
	wantStatus(t, err, codes.Internal)
	if res := post(t, s, "/v1/traces", protobufType, inProtobuf(t, batch(0, 1))); res.StatusCode != 500 {
		t.Errorf("HTTP: %s", res.Status)
	}
	wantRefused(t, s, receiver.Refused{Reason: "internal error", Requests: 2})
}

// A sender that pings without pause, streams or not, is not told to go away.
func TestPingsAreWelcome(t *testing.T) {
	s := start(t, receiver.Settings{}, &memory{})
	c, err := net.Dial("tcp", s.GRPCAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const (
		settings, ping, goAway = 4, 6, 7 // RFC 9113, 6
		pings                  = 100
	)
	frame := func(typ byte, body string) string {
		return string([]byte{0, 0, byte(len(body)), typ, 0, 0, 0, 0, 0}) + body
	}
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(settings, "")+strings.Repeat(frame(ping, "12345678"), pings)); err != nil {
		t.Fatal(err)
	}
	for answered := 0; answered < pings; {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			t.Fatalf("after %d answers: %v", answered, err)
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))); err != nil {
			t.Fatal(err)
		}
		switch head[3] {
		case ping:
			answered++
		case goAway:
			t.Fatalf("told to go away after %d answers", answered)
		}
	}
}
