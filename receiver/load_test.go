package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"

	"github.com/followspan/followspan/internal/otlp/otlptest"
)

// senders are the connections of one load, each with one request under way.
const senders = 4

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
	fresh  *otlptest.Requests
	sent   int
	ready  [][]byte // that are sent again and again, unless all spans are distinct
	packed bytes.Buffer
}

func (l load) newRequests(sender int) *requests {
	series := rune('a' + sender)
	if l.JSON {
		return &requests{load: l, fresh: otlptest.JSON(series)}
	}
	return &requests{load: l, fresh: otlptest.Protobuf(series)}
}

// next is a request that is the caller's until the next call.
func (r *requests) next() ([]byte, error) {
	const different = 50
	if r.sent++; r.Distinct {
		return r.pack(r.fresh.Next())
	}
	if len(r.ready) < different {
		body, err := r.pack(r.fresh.Next())
		r.ready = append(r.ready, bytes.Clone(body))
		return body, err
	}
	return r.ready[r.sent%different], nil
}

func (r *requests) pack(body []byte) ([]byte, error) {
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
