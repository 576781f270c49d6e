package grpctrigger

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

// shopFiles are what protoc would make of the shop's proto files.
const shopFiles = `
file {
  name: "shop/item.proto" package: "shop" syntax: "proto3"
  message_type {
    name: "Item"
    field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "unit_price" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL }
    field { name: "color" number: 3 type: TYPE_ENUM type_name: ".shop.Color" label: LABEL_OPTIONAL }
  }
  enum_type { name: "Color" value { name: "UNSET" number: 0 } value { name: "RED" number: 1 } value { name: "GREEN" number: 2 } }
}
file {
  name: "shop/checkout.proto" package: "shop" syntax: "proto3"
  dependency: "shop/item.proto" dependency: "google/protobuf/any.proto" dependency: "google/protobuf/timestamp.proto"
  message_type {
    name: "Order"
    field { name: "items" number: 1 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_REPEATED }
    field { name: "count" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
    field { name: "notes" number: 3 type: TYPE_STRING label: LABEL_REPEATED }
    field { name: "stock" number: 4 type: TYPE_MESSAGE type_name: ".shop.Order.StockEntry" label: LABEL_REPEATED }
    field { name: "gift" number: 5 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_OPTIONAL }
    field { name: "at" number: 6 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
    field { name: "photo" number: 7 type: TYPE_BYTES label: LABEL_OPTIONAL }
    field { name: "extra" number: 8 type: TYPE_MESSAGE type_name: ".google.protobuf.Any" label: LABEL_OPTIONAL }
    nested_type {
      name: "StockEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_UINT32 label: LABEL_OPTIONAL }
    }
  }
  service {
    name: "Checkout"
    method { name: "Place" input_type: ".shop.Order" output_type: ".shop.Order" }
    method { name: "Watch" input_type: ".shop.Order" output_type: ".shop.Order" server_streaming: true }
  }
  service { name: "Returns" }
}`

// shopSet returns the shop's files with all that they import.
func shopSet(t testing.TB) *descriptorpb.FileDescriptorSet {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	if err := prototext.Unmarshal([]byte(shopFiles), set); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"google/protobuf/any.proto", "google/protobuf/timestamp.proto"} {
		file, err := protoregistry.GlobalFiles.FindFileByPath(name)
		if err != nil {
			t.Fatal(err)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	}
	return set
}

func shopRegistry(t testing.TB) *protoregistry.Files {
	t.Helper()
	files, err := protodesc.NewFiles(shopSet(t))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// place is the description of shop.Checkout/Place.
func place(t testing.TB) *description {
	t.Helper()
	d, err := find(shopRegistry(t), method{"shop.Checkout", "Place"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// descriptorFile writes a set to a file.
func descriptorFile(t *testing.T, set *descriptorpb.FileDescriptorSet) string {
	t.Helper()
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "shop.binpb")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// placing handles shop.Checkout/Place; both messages are in protobuf's JSON.
type placing func(ctx context.Context, order string) (reply string, err error)

// shop is a server with the service shop.Checkout.
type shop struct {
	*grpc.Server
	address string
}

// openShop starts a server; more registers other services, such as reflection.
func openShop(t *testing.T, handle placing, more func(*grpc.Server), options ...grpc.ServerOption) *shop {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "shop.Checkout", Methods: []grpc.MethodDesc{{MethodName: "Place", Handler: placeHandler(t, handle)}}}, nil)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "shop.Returns"}, nil)
	if more != nil {
		more(server)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		server.Stop()
		served.Wait()
	})
	return &shop{server, listener.Addr().String()}
}

func placeHandler(t *testing.T, handle placing) grpc.MethodHandler {
	d := place(t)
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		order := dynamicpb.NewMessage(d.Input())
		if err := decode(order); err != nil {
			return nil, err
		}
		text, err := marshal(order, d.types)
		if err != nil {
			return nil, err
		}
		reply, err := handle(ctx, string(text))
		if err != nil {
			return nil, err
		}
		out := dynamicpb.NewMessage(d.Output())
		return out, protojson.UnmarshalOptions{Resolver: d.types}.Unmarshal([]byte(reply), out)
	}
}

// echo answers an order with itself.
func echo(_ context.Context, order string) (string, error) { return order, nil }

// unexpected fails the test if the call is made.
func unexpected(t *testing.T) placing {
	return func(context.Context, string) (string, error) {
		t.Error("the call was made")
		return "{}", nil
	}
}

// reflecting returns what registers reflection of the shop, in both versions.
func reflecting(t *testing.T) func(*grpc.Server) {
	return func(s *grpc.Server) {
		reflectingV1(t)(s)
		reflectingV1alpha(t)(s)
	}
}

func reflectingV1(t *testing.T) func(*grpc.Server) {
	return func(s *grpc.Server) {
		reflectionv1.RegisterServerReflectionServer(s, reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: shopRegistry(t)}))
	}
}

func reflectingV1alpha(t *testing.T) func(*grpc.Server) {
	return func(s *grpc.Server) {
		reflectionv1alpha.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s, DescriptorResolver: shopRegistry(t)}))
	}
}

// reticent is reflection that sends one file at a time, and not those of the given
// name.
type reticent struct {
	reflectionv1.UnimplementedServerReflectionServer
	set    *descriptorpb.FileDescriptorSet
	hidden string
}

func (r *reticent) register(s *grpc.Server) { reflectionv1.RegisterServerReflectionServer(s, r) }

func (r *reticent) ServerReflectionInfo(stream reflectionv1.ServerReflection_ServerReflectionInfoServer) error {
	for {
		question, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(r.answer(question)); err != nil {
			return err
		}
	}
}

func (r *reticent) answer(question *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
	name := question.GetFileByFilename()
	if question.GetFileContainingSymbol() != "" {
		name = "shop/checkout.proto"
	}
	for _, f := range r.set.File {
		if f.GetName() == name && name != r.hidden {
			data, _ := proto.Marshal(f)
			return &reflectionv1.ServerReflectionResponse{MessageResponse: &reflectionv1.ServerReflectionResponse_FileDescriptorResponse{
				FileDescriptorResponse: &reflectionv1.FileDescriptorResponse{FileDescriptorProto: [][]byte{data}}}}
		}
	}
	if question.GetFileContainingSymbol() == "" && question.GetFileByFilename() == "" {
		return &reflectionv1.ServerReflectionResponse{MessageResponse: &reflectionv1.ServerReflectionResponse_ListServicesResponse{
			ListServicesResponse: &reflectionv1.ListServiceResponse{Service: []*reflectionv1.ServiceResponse{{Name: "shop.Checkout"}}}}}
	}
	return &reflectionv1.ServerReflectionResponse{MessageResponse: &reflectionv1.ServerReflectionResponse_ErrorResponse{
		ErrorResponse: &reflectionv1.ErrorResponse{ErrorCode: int32(codes.NotFound), ErrorMessage: "not here"}}}
}

// forbidden refuses reflection, and all other streams.
func forbidden(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
	return status.Error(codes.PermissionDenied, "staff only")
}

// handClock stands still until pass moves it.
type handClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*handTimer]bool
}

type handTimer struct {
	at time.Time
	f  func()
}

func newHandClock() *handClock {
	return &handClock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), timers: map[*handTimer]bool{}}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) AfterFunc(d time.Duration, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &handTimer{c.now.Add(d), f}
	c.timers[t] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
	}
}

func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for t := range c.timers {
		if !t.at.After(c.now) {
			delete(c.timers, t)
			due = append(due, t.f)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

const testTraceparent = "00-30313233343536373839616263646566-4142434445464748-01"

func testContext() run.TraceContext {
	return run.TraceContext{TraceID: trace.TraceID([]byte("0123456789abcdef")), SpanID: trace.SpanID([]byte("ABCDEFGH")), RunID: "r1"}
}

// perform makes a call to shop.Checkout/Place, unless the call says otherwise.
func perform(t *testing.T, call run.GRPCCall) run.Performed {
	t.Helper()
	return performIn(t.Context(), call)
}

func performIn(ctx context.Context, call run.GRPCCall) run.Performed {
	if call.Method == "" {
		call.Method = "shop.Checkout/Place"
	}
	if call.Clock == nil {
		call.Clock = newHandClock()
	}
	return New(call).Do(ctx, testContext())
}

// spanText is what tests compare of a span: one line a fact.
func spanText(s trace.SpanData) string {
	lines := []string{s.TraceID.String() + "/" + s.ID.String() + " " + s.Kind.String() + " " + s.Name + " " + s.Status.String() + " " + s.StatusMessage}
	for _, a := range s.Attrs {
		lines = append(lines, a.Key+"="+a.Value.String())
	}
	return strings.Join(lines, "\n")
}

// received returns the metadata that a handler was sent, without what gRPC adds.
func received(ctx context.Context) map[string][]string {
	md, _ := metadata.FromIncomingContext(ctx)
	md = md.Copy()
	md.Delete(":authority")
	md.Delete("content-type")
	md.Delete("grpc-accept-encoding")
	return md
}
