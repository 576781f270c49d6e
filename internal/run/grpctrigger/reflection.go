package grpctrigger

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/followspan/followspan/internal/run"
)

const giveDescriptors = "give the trigger `descriptors:` with a file; " + makeDescriptors

// The older version of reflection has the same messages under other names, so one
// client serves both.
var reflectionMethods = []string{
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}

// reflect asks the server for a method's description.
func reflect(ctx context.Context, c *connection, md metadata.MD, m method) (*description, *run.ActionError) {
	for _, name := range reflectionMethods {
		r, err := openReflection(ctx, c, md, name)
		if err != nil {
			return nil, err
		}
		d, err := r.describe(m)
		r.cancel()
		if err == nil || !r.unimplemented {
			return d, err
		}
	}
	return nil, invalid(c.peer.address()+" does not offer server reflection", giveDescriptors)
}

// reflector is one conversation with the server's reflection.
type reflector struct {
	peer          peer
	ctx           context.Context
	seen          *progress
	cancel        context.CancelFunc
	stream        grpc.ClientStream
	unimplemented bool // the server does not know this version
}

func openReflection(ctx context.Context, c *connection, md metadata.MD, name string) (*reflector, *run.ActionError) {
	r := &reflector{peer: c.peer, ctx: ctx}
	watched, seen := watch(metadata.NewOutgoingContext(ctx, md))
	watched, r.cancel = context.WithCancel(watched)
	r.seen = seen
	var err error
	r.stream, err = c.NewStream(watched, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name)
	if err != nil {
		r.cancel()
		return nil, c.peer.unanswered(ctx, seen, err)
	}
	return r, nil
}

// describe fetches the files that a method needs.
func (r *reflector) describe(m method) (*description, *run.ActionError) {
	set, unknown, err := r.files(m.service)
	if err != nil {
		return nil, err
	}
	if unknown != nil {
		return nil, r.noService(m, unknown)
	}
	files, broken := protodesc.NewFiles(set)
	if broken != nil {
		return nil, invalid("the descriptions by server reflection do not fit together: "+plain(broken), giveDescriptors)
	}
	return find(files, m, func() []string { return servicesOf(files) })
}

// noService says that the server has no such service, or that it does not describe
// one that it has.
func (r *reflector) noService(m method, unknown *reflection.ErrorResponse) *run.ActionError {
	answer, err := r.ask(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_ListServices{}})
	if err != nil {
		return err
	}
	var names []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	if slices.Contains(names, m.service) {
		return invalid(fmt.Sprintf("server reflection does not describe %s: %s", m.service, oneLine(unknown.GetErrorMessage())), giveDescriptors)
	}
	return unknownService(m, names)
}

// files fetches the file that declares a service and all that it imports. Some
// servers send these along, others on request.
func (r *reflector) files(service string) (set *descriptorpb.FileDescriptorSet, unknown *reflection.ErrorResponse, err *run.ActionError) {
	set = &descriptorpb.FileDescriptorSet{}
	known := map[string]bool{}
	unknown, err = r.fetch(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	}, set, known)
	if unknown != nil || err != nil {
		return nil, unknown, err
	}
	for i := 0; i < len(set.File); i++ { // the set grows
		for _, name := range set.File[i].GetDependency() {
			if known[name] {
				continue
			}
			missing, err := r.fetch(&reflection.ServerReflectionRequest{
				MessageRequest: &reflection.ServerReflectionRequest_FileByFilename{FileByFilename: name},
			}, set, known)
			if err != nil {
				return nil, nil, err
			}
			if missing != nil {
				what := fmt.Sprintf("server reflection has no file %s, which %s imports", name, set.File[i].GetName())
				return nil, nil, invalid(what, giveDescriptors)
			}
			known[name] = true // whatever its name is in itself
		}
	}
	return set, nil, nil
}

// fetch asks for files and adds those that are not known yet.
func (r *reflector) fetch(question *reflection.ServerReflectionRequest, set *descriptorpb.FileDescriptorSet, known map[string]bool) (*reflection.ErrorResponse, *run.ActionError) {
	answer, err := r.ask(question)
	if err != nil {
		return nil, err
	}
	if e := answer.GetErrorResponse(); e != nil {
		return e, nil
	}
	for _, data := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(data, file); err != nil {
			return nil, invalid("server reflection sent a file that cannot be read: "+plain(err), giveDescriptors)
		}
		if !known[file.GetName()] {
			known[file.GetName()] = true
			set.File = append(set.File, file)
		}
	}
	return nil, nil
}

func (r *reflector) ask(question *reflection.ServerReflectionRequest) (*reflection.ServerReflectionResponse, *run.ActionError) {
	answer := &reflection.ServerReflectionResponse{}
	// An end of the stream while sending is explained by what is received.
	_ = r.stream.SendMsg(question)
	err := r.stream.RecvMsg(answer)
	if err == nil {
		return answer, nil
	}
	if !r.seen.trailer.Load() {
		return nil, r.peer.unanswered(r.ctx, r.seen, err)
	}
	s := status.Convert(err)
	r.unimplemented = s.Code() == codes.Unimplemented
	return nil, invalid(fmt.Sprintf("server reflection ended with %s: %s", codeName(int(s.Code())), oneLine(s.Message())), giveDescriptors)
}
