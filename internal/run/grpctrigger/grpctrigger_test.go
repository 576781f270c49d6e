package grpctrigger

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

func TestCall(t *testing.T) {
	var sent map[string][]string
	var order string
	clock := newHandClock()
	s := openShop(t, func(ctx context.Context, text string) (string, error) {
		sent, order = received(ctx), text
		clock.pass(30 * time.Millisecond)
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-order", "o-1", "mark-bin", "\x00\x01"))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-order", "o-2", "x-cost", "3"))
		return `{"count": 7, "items": [{"sku": "a"}]}`, nil
	}, reflecting(t))
	a := New(run.GRPCCall{
		Target: s.address, Method: "/shop.Checkout/Place", Clock: clock,
		Message:  []byte(`{"items": [{"sku": "a", "unit_price": 5, "color": "RED"}], "stock": {"a": 1}}`),
		Metadata: map[string][]string{"User": {"alice"}, "traceparent": {"mine"}, "Tracestate": {"mine"}, "baggage": {"a=b"}, "key-bin": {"AAE="}},
	})
	p := a.Do(t.Context(), testContext())
	if p.Err != nil {
		t.Fatal(p.Err)
	}

	wantSent := map[string][]string{
		"user": {"alice"}, "traceparent": {testTraceparent}, "baggage": {"a=b,followspan.run.id=r1"},
		"key-bin": {"\x00\x01"}, "user-agent": {"followspan grpc-go/" + grpc.Version},
	}
	if diff := cmp.Diff(wantSent, sent); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if want := `{"items":[{"sku":"a","unitPrice":"5","color":"RED"}],"count":0,"notes":[],"stock":{"a":1},"photo":""}`; order != want {
		t.Errorf("message\n got %s\nwant %s", order, want)
	}
	wantResponse := &run.Response{
		Header:   http.Header{"Content-Type": {"application/grpc"}, "X-Order": {"o-1", "o-2"}, "Mark-Bin": {"AAE="}, "X-Cost": {"3"}},
		Body:     []byte(`{"items":[{"sku":"a","unitPrice":"0","color":"UNSET"}],"count":7,"notes":[],"stock":{},"photo":""}`),
		Duration: 30 * time.Millisecond,
	}
	if diff := cmp.Diff(wantResponse, p.Response); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	_, port, _ := net.SplitHostPort(s.address)
	want := `30313233343536373839616263646566/4142434445464748 client shop.Checkout/Place unset 
rpc.system.name="grpc"
rpc.method="shop.Checkout/Place"
server.address="127.0.0.1"
server.port=` + port + `
rpc.response.status_code="OK"`
	if diff := cmp.Diff(want, spanText(p.Span)); diff != "" {
		t.Errorf("span (-want +got):\n%s", diff)
	}
	if p.Span.End.Sub(p.Span.Start) != 30*time.Millisecond {
		t.Errorf("span from %v to %v", p.Span.Start, p.Span.End)
	}
	if want := "/shop.Checkout/Place on " + s.address; a.String() != want {
		t.Errorf("String: got %s, want %s", a, want)
	}
}

func TestWhereDescriptionsComeFrom(t *testing.T) {
	file := descriptorFile(t, shopSet(t))
	for _, test := range []struct {
		reason      string
		descriptors string
		more        func(*grpc.Server)
	}{
		{"a file", file, nil},
		{"reflection", "", reflectingV1(t)},
		{"reflection of the older version", "", reflectingV1alpha(t)},
		{"reflection that sends imports on request", "", (&reticent{set: shopSet(t)}).register},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := openShop(t, echo, test.more)
			p := perform(t, run.GRPCCall{Target: s.address, Descriptors: test.descriptors, Message: []byte(`{"count": 3}`)})
			want := `{"items":[],"count":3,"notes":[],"stock":{},"photo":""}`
			if p.Err != nil || string(p.Response.Body) != want {
				t.Errorf("%v, %+v", p.Err, p.Response)
			}
		})
	}
}

// Questions to reflection are no part of the flow, and may need what the call needs.
func TestReflectionIsAskedInATraceOfItsOwn(t *testing.T) {
	var asked map[string][]string
	s := openShop(t, echo, reflecting(t), grpc.StreamInterceptor(
		func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			asked = received(stream.Context())
			return handle(srv, stream)
		}))
	p := perform(t, run.GRPCCall{Target: s.address, Metadata: map[string][]string{"authorization": {"Bearer x"}, "tracestate": {"a=b"}}})
	if p.Err != nil {
		t.Fatal(p.Err)
	}
	want := map[string][]string{
		"authorization": {"Bearer x"}, "user-agent": {"followspan grpc-go/" + grpc.Version},
		"traceparent": {"00-cfcecdcccbcac9c8c7c69e9d9c9b9a99-4142434445464748-00"},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestAnyStatusIsAnAnswer(t *testing.T) {
	known, _ := anypb.New(&errdetails.ErrorInfo{Reason: "SOLD_OUT"})
	item := &anypb.Any{TypeUrl: "type.googleapis.com/shop.Item", Value: []byte("\x0a\x01a")}
	strange := &anypb.Any{TypeUrl: "type.googleapis.com/shop.Secret", Value: []byte{1}}
	for _, test := range []struct {
		reason string
		status *spb.Status
		class  string
		want   string
	}{
		{"an error", &spb.Status{Code: 5, Message: "no <item>"}, "NOT_FOUND", `{"code":"NOT_FOUND","message":"no \u003citem\u003e","details":[]}`},
		{"a server may pass on that another is away", &spb.Status{Code: 14, Message: "stock"}, "UNAVAILABLE", `{"code":"UNAVAILABLE","message":"stock","details":[]}`},
		{"a server that cancels", &spb.Status{Code: 1}, "CANCELLED", `{"code":"CANCELLED","message":"","details":[]}`},
		{"our message is too large for it", &spb.Status{Code: 8, Message: "grpc: received message larger than max (9 vs. 4)"}, "RESOURCE_EXHAUSTED",
			`{"code":"RESOURCE_EXHAUSTED","message":"grpc: received message larger than max (9 vs. 4)","details":[]}`},
		{"a code of the future", &spb.Status{Code: 99}, "99", `{"code":"99","message":"","details":[]}`},
		{"details", &spb.Status{Code: 9, Details: []*anypb.Any{known, item, strange}}, "FAILED_PRECONDITION",
			`{"code":"FAILED_PRECONDITION","message":"","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SOLD_OUT","domain":"","metadata":{}},` +
				`{"@type":"type.googleapis.com/shop.Item","sku":"a","unitPrice":"0","color":"UNSET"},` +
				`{"@type":"type.googleapis.com/shop.Secret","value":"AQ=="}]}`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			s := openShop(t, func(ctx context.Context, _ string) (string, error) {
				_ = grpc.SetTrailer(ctx, metadata.Pairs("x-cost", "3"))
				return "", status.ErrorProto(test.status)
			}, reflecting(t))
			p := perform(t, run.GRPCCall{Target: s.address})
			if p.Err != nil {
				t.Fatal(p.Err)
			}
			if p.Response.Status != int(test.status.Code) || string(p.Response.Body) != test.want || p.Response.Header.Get("X-Cost") != "3" {
				t.Errorf("%d %s\nwant %s", p.Response.Status, p.Response.Body, test.want)
			}
			text := spanText(p.Span)
			if p.Span.Status != trace.Error || !strings.HasSuffix(text, "\nrpc.response.status_code=\""+test.class+"\"\nerror.type=\""+test.class+`"`) {
				t.Errorf("span %s", text)
			}
		})
	}
}

func TestReplyThatIsTooLarge(t *testing.T) {
	s := openShop(t, func(context.Context, string) (string, error) {
		return `{"notes": ["` + strings.Repeat("x", maxReply) + `"]}`, nil
	}, reflecting(t))
	p := perform(t, run.GRPCCall{Target: s.address})
	wantError(t, p, "too_large", "the reply of "+s.address+" is larger than 10 MiB")
}

func TestReplyThatCannotBeRead(t *testing.T) {
	s := openShop(t, func(context.Context, string) (string, error) { return `{"notes": ["a"]}`, nil }, nil)
	set := shopSet(t)
	order := set.File[1].MessageType[0]
	order.Field[2].Type, order.Field[2].TypeName = order.Field[0].Type, proto.String(".shop.Item") // notes are read as items
	p := perform(t, run.GRPCCall{Target: s.address, Descriptors: descriptorFile(t, set)})
	wantError(t, p, "unreadable_reply", "the reply cannot be read as shop.Order: ")
	if p.Response == nil || p.Response.Status != 0 || p.Response.Body != nil {
		t.Errorf("response %+v", p.Response)
	}
}

func TestReplyWithAnythingUnknown(t *testing.T) {
	s := openShop(t, func(context.Context, string) (string, error) {
		return `{"extra": {"@type": "type.googleapis.com/shop.Item", "sku": "a"}}`, nil
	}, reflecting(t))
	p := perform(t, run.GRPCCall{Target: s.address})
	if p.Err != nil || !strings.Contains(string(p.Response.Body), `"extra":{"@type":"type.googleapis.com/shop.Item","sku":"a"`) {
		t.Errorf("%v, %+v", p.Err, p.Response)
	}
}

func TestTimeout(t *testing.T) {
	for _, test := range []struct {
		timeout, limit time.Duration
	}{{0, DefaultTimeout}, {time.Minute, time.Minute}} {
		clock := newHandClock()
		s := openShop(t, func(ctx context.Context, _ string) (string, error) {
			if _, told := ctx.Deadline(); told {
				t.Error("the server was told of a deadline")
			}
			clock.pass(test.limit)
			<-ctx.Done()
			return "", ctx.Err()
		}, reflecting(t))
		p := perform(t, run.GRPCCall{Target: s.address, Timeout: test.timeout, Clock: clock})
		wantError(t, p, "timeout", s.address+" gave no complete answer within "+test.limit.String())
		if p.Response != nil || p.Span.End.Sub(p.Span.Start) != test.limit {
			t.Errorf("response %v, span of %v", p.Response, p.Span.End.Sub(p.Span.Start))
		}
	}
}

func TestTimeoutWhileConnecting(t *testing.T) {
	clock := newHandClock()
	address := listen(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1)) // the client begins
		clock.pass(DefaultTimeout)
		_, _ = conn.Read(make([]byte, 1<<10))
	})
	wantError(t, perform(t, run.GRPCCall{Target: address, Clock: clock}), "timeout", address+" gave no complete answer within 10s")
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := openShop(t, func(ctx context.Context, _ string) (string, error) {
		cancel()
		<-ctx.Done()
		return "", ctx.Err()
	}, reflecting(t))
	wantError(t, performIn(ctx, run.GRPCCall{Target: s.address}), "interrupted", "interrupted before the answer was complete")
}

func TestIsNeverRetried(t *testing.T) {
	var s *shop
	calls := 0
	s = openShop(t, func(ctx context.Context, _ string) (string, error) {
		calls++
		go s.Stop()
		<-ctx.Done()
		return "", status.Error(codes.Unavailable, "")
	}, reflecting(t))
	p := perform(t, run.GRPCCall{Target: s.address})
	wantError(t, p, "connection_closed", s.address+" closed the connection before the answer was complete (did it crash?)")
	if p.Response != nil || calls != 1 {
		t.Errorf("%d calls, response %+v", calls, p.Response)
	}
}

func wantError(t *testing.T, p run.Performed, class, want string) {
	t.Helper()
	action, _ := p.Err.(*run.ActionError)
	if action == nil || action.Class != class || !strings.HasPrefix(action.Error(), want) || strings.Contains(action.Error(), "\n") {
		t.Errorf("\n got %v\nwant %s: %s", p.Err, class, want)
		return
	}
	if p.Span.Status != trace.Error || p.Span.StatusMessage != action.What || p.Span.Start == 0 || !strings.HasSuffix(spanText(p.Span), "\nerror.type=\""+class+`"`) {
		t.Errorf("span %s", spanText(p.Span))
	}
}
