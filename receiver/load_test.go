package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
)

const (
	spansPerRequest = 100
	senders         = 4 // connections of one load, each with one request under way
)

// load is what a process that sends does.
type load struct {
	Protocol, Address    string
	Gzip, Distinct, JSON bool
	Requests             int
}

// loadVariable holds the load, as JSON, in the environment of a process that sends.
const loadVariable = "FOLLOWSPAN_TEST_LOAD"

func (l load) String() string {
	switch {
	case l.JSON:
		return l.Protocol + "/json"
	case l.Gzip:
		return l.Protocol + "/gzip"
	case l.Distinct:
		return l.Protocol + "/distinct"
	}
	return l.Protocol + "/plain"
}

// run sends the load from a process of its own and waits for its end.
func (l load) run(b *testing.B) {
	settings, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), loadVariable+"="+string(settings))
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("the sender: %v\n%s", err, out)
	}
}

// sendLoad is main of a process that sends.
func sendLoad(settings string) error {
	var l load
	if err := json.Unmarshal([]byte(settings), &l); err != nil {
		return err
	}
	if l.Protocol == "grpc" && l.Gzip {
		encoding.RegisterCompressor(packed{})
	}
	var next atomic.Int64
	failed := make(chan error, senders)
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			if err := l.send(i, &next); err != nil {
				failed <- err
			}
		})
	}
	sending.Wait()
	close(failed)
	return <-failed
}

func (l load) send(sender int, next *atomic.Int64) error {
	export, err := l.exporter()
	if err != nil {
		return err
	}
	r := l.newRequests(sender)
	for n := next.Add(1); n <= int64(l.Requests); n = next.Add(1) {
		body, err := r.next()
		if err != nil {
			return err
		}
		if err := export(body); err != nil {
			return err
		}
	}
	return nil
}

func (l load) exporter() (func(body []byte) error, error) {
	if l.Protocol == "grpc" {
		return l.exporterGRPC()
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	return func(body []byte) error {
		r, err := http.NewRequest(http.MethodPost, "http://"+l.Address+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", protobufType)
		if l.JSON {
			r.Header.Set("Content-Type", jsonType)
		}
		if l.Gzip {
			r.Header.Set("Content-Encoding", "gzip")
		}
		res, err := client.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s (%v)", res.Status, answer, err)
		}
		return nil
	}, nil
}

func (l load) exporterGRPC() (func(body []byte) error, error) {
	c, err := grpc.NewClient(l.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	options := []grpc.CallOption{grpc.ForceCodecV2(bytesCodec{})}
	if l.Gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	return func(body []byte) error {
		var answer []byte
		return c.Invoke(context.Background(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &body, &answer, options...)
	}, nil
}

// packed stands in for gzip where messages are compressed already.
type packed struct{}

func (packed) Name() string                                 { return "gzip" }
func (packed) Compress(w io.Writer) (io.WriteCloser, error) { return unclosed{w}, nil }
func (packed) Decompress(r io.Reader) (io.Reader, error)    { return gzip.NewReader(r) }

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// requests are the bodies that one sender sends.
type requests struct {
	load
	sender   int
	sent     int
	template []byte
	ready    [][]byte // that are sent again and again, unless all spans are distinct
	packed   bytes.Buffer
}

func (l load) newRequests(sender int) *requests {
	r := &requests{load: l, sender: sender}
	request := typical()
	var err error
	if r.template, err = request.MarshalProto(); l.JSON {
		r.template, err = request.MarshalJSON()
	}
	if err != nil {
		panic(err) // the request is constant
	}
	return r
}

// next is a request that is the caller's until the next call.
func (r *requests) next() ([]byte, error) {
	const different = 50
	if r.sent++; r.Distinct {
		return r.pack()
	}
	if len(r.ready) < different {
		body, err := r.pack()
		r.ready = append(r.ready, bytes.Clone(body))
		return body, err
	}
	return r.ready[r.sent%different], nil
}

func (r *requests) pack() ([]byte, error) {
	body := r.stamp()
	if !r.Gzip {
		return body, nil
	}
	r.packed.Reset()
	z := gzip.NewWriter(&r.packed)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err := z.Close()
	return r.packed.Bytes(), err
}

// blank stands in a template where spans differ: in ids and in texts.
const blank = "@@@@@@@@"

// stamp fills the blanks of the next request.
func (r *requests) stamp() []byte {
	body := bytes.Clone(r.template)
	blanks := bytes.Count(body, []byte(blank)) / spansPerRequest
	for i, rest := 0, body; ; i++ {
		at := bytes.Index(rest, []byte(blank))
		if at < 0 {
			return body
		}
		copy(rest[at:], fmt.Sprintf("%c%07d", 'a'+r.sender, r.sent*spansPerRequest+i/blanks))
		rest = rest[at:]
	}
}

// typical is a request as a busy service sends it, about 520 bytes and 10
// attributes a span, with blanks.
func typical() ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for i, key := range []string{"service.name", "service.instance.id", "host.id", "telemetry.sdk.language"} {
		rs.Resource().Attributes().PutStr(key, fmt.Sprint("checkout-", i))
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	for i := range spansPerRequest {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID([16]byte([]byte("trace id" + blank)))
		s.SetSpanID([8]byte([]byte(blank)))
		s.SetParentSpanID([8]byte([]byte("parent" + fmt.Sprintf("%02d", i))))
		s.SetName("POST /api/v2/order/{id}")
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i*1_000_000))
		s.SetEndTimestamp(s.StartTimestamp() + 5_000_000)
		a := s.Attributes()
		a.PutStr("http.request.method", "POST")
		a.PutStr("url.path", "/api/v2/order/"+blank)
		a.PutStr("url.scheme", "https")
		a.PutStr("http.route", "/api/v2/order/{id}")
		a.PutStr("server.address", "checkout.shop.svc.cluster.local")
		a.PutInt("server.port", 8443)
		a.PutInt("http.response.status_code", 200)
		a.PutStr("enduser.id", "user-"+blank)
		a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
		a.PutStr("order.id", "ord-"+blank)
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

// The benchmarks measure what users send: the size of a span is part of it.
func TestTypicalSpan(t *testing.T) {
	r := (load{Distinct: true}).newRequests(0)
	first, err := r.next()
	second, err2 := r.next()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if size := len(first) / spansPerRequest; size < 500 || size > 550 {
		t.Errorf("%d bytes a span", size)
	}
	if strings.Contains(string(first), blank) || bytes.Equal(first, second) {
		t.Error("the spans of two requests are not distinct")
	}
}
