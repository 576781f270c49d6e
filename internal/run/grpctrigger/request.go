package grpctrigger

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/followspan/followspan/internal/run"
)

// request is a call that only needs to be sent.
type request struct {
	conn    *connection
	method  *description
	path    string // as on the wire
	md      metadata.MD
	message []byte
}

// prepare does all that can go wrong before the call. What needs no server comes
// first.
func (a *action) prepare(ctx context.Context, t run.TraceContext) (*request, *run.ActionError) {
	to, err := parseTarget(a.call.Target)
	if err != nil {
		return nil, err
	}
	m, err := parseMethod(a.call.Method)
	if err != nil {
		return nil, err
	}
	md, err := outgoing(a.call.Metadata)
	if err != nil {
		return nil, err
	}
	r := &request{path: "/" + m.String(), md: withTrace(md, t)}
	if a.call.Descriptors != "" {
		if r.method, err = fromFile(a.call.Descriptors, m); err != nil {
			return nil, err
		}
		if r.message, err = encode(r.method, a.call.Message); err != nil {
			return nil, err
		}
	}
	if r.conn, err = connect(ctx, peer{to, a.limit()}); err != nil || r.method != nil {
		return r, err
	}
	if r.method, err = reflect(ctx, r.conn, withoutTrace(md, t), m); err == nil {
		r.message, err = encode(r.method, a.call.Message)
	}
	if err != nil {
		r.conn.close()
	}
	return r, err
}

// encode turns JSON into the method's message.
func encode(d *description, json []byte) ([]byte, *run.ActionError) {
	message := dynamicpb.NewMessage(d.Input())
	if len(json) > 0 {
		if err := (protojson.UnmarshalOptions{Resolver: d.types}).Unmarshal(json, message); err != nil {
			return nil, invalid(fmt.Sprintf("the JSON does not fit the message %s: %s", d.Input().FullName(), misfit(d, json, err)), "")
		}
	}
	data, err := proto.Marshal(message)
	if err != nil {
		return nil, invalid(fmt.Sprintf("encode the message %s: %s", d.Input().FullName(), plain(err)), "")
	}
	return data, nil
}

// send makes the call. The response is not nil if the server answered, though its
// reply be unreadable.
func (r *request) send(ctx context.Context) (*run.Response, *run.ActionError) {
	var header, trailer metadata.MD
	var reply []byte
	watched, seen := watch(metadata.NewOutgoingContext(ctx, r.md))
	err := r.conn.Invoke(watched, r.path, r.message, &reply,
		grpc.ForceCodec(rawCodec{}), grpc.Header(&header), grpc.Trailer(&trailer))
	out := &run.Response{Header: incoming(header, trailer)}
	switch {
	case err == nil:
		var unreadable *run.ActionError
		out.Body, unreadable = decode(r.method, reply)
		return out, unreadable
	case ctx.Err() != nil, !seen.trailer.Load(), tooLarge(status.Convert(err), seen):
		return nil, r.conn.peer.unanswered(ctx, seen, err)
	}
	s := status.Convert(err)
	out.Status, out.Body = int(s.Code()), failure(s, r.method.types)
	return out, nil
}

// rawCodec leaves messages as they are, so that what cannot be encoded or decoded
// is not taken for a status of the server.
type rawCodec struct{}

var errNotRaw = errors.New("not a message in bytes")

// Marshal returns the bytes that v is.
func (rawCodec) Marshal(v any) ([]byte, error) {
	if data, ok := v.([]byte); ok {
		return data, nil
	}
	return nil, errNotRaw
}

// Unmarshal stores data in what v points to.
func (rawCodec) Unmarshal(data []byte, v any) error {
	if into, ok := v.(*[]byte); ok {
		*into = data
		return nil
	}
	return errNotRaw
}

// Name is empty, so that the content type is the usual one.
func (rawCodec) Name() string { return "" }
