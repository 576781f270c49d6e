package run

import (
	"time"

	"github.com/followspan/followspan/assertions"
)

// GRPCCall is a unary call that a flow file declares, with everything filled in.
// How it is made stands in package grpctrigger, so that this one needs no gRPC.
type GRPCCall struct {
	Target      string // host:port, or grpcs://host:port for TLS
	Method      string // package.Service/Method
	Message     []byte // as JSON; nil is the empty message
	Metadata    map[string][]string
	Descriptors string        // path of a FileDescriptorSet; empty: ask the server's reflection
	Timeout     time.Duration // for all of it; 0 is a default
	Clock       Clock
}

func (r *runner) grpcCall(t *assertions.GRPCTrigger, file *assertions.File, captured map[string]string) GRPCCall {
	call := GRPCCall{
		Target: t.Target.Expand(captured), Method: t.Method.Expand(captured), Metadata: map[string][]string{},
		Timeout: t.Timeout, Clock: r.Clock,
	}
	if t.JSON != nil {
		call.Message = t.JSON.Encode(captured)
	}
	if !t.Descriptors.IsZero() {
		call.Descriptors = file.Path(t.Descriptors.String())
	}
	for _, v := range t.Metadata {
		call.Metadata[v.Name] = append(call.Metadata[v.Name], v.Value.Expand(captured))
	}
	return call
}
