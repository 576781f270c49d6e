package grpctrigger

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/followspan/followspan/internal/diag"
	"github.com/followspan/followspan/internal/run"
)

// description is what is known of a method.
type description struct {
	protoreflect.MethodDescriptor
	types types
}

const makeDescriptors = "protoc --include_imports --descriptor_set_out=FILE or buf build -o FILE writes one"

// fromFile finds a method in a file that holds a FileDescriptorSet.
func fromFile(path string, m method) (*description, *run.ActionError) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, invalid("read the descriptors: "+err.Error(), "")
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil || len(set.File) == 0 {
		return nil, invalid(path+" holds no descriptors", makeDescriptors)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, invalid(fmt.Sprintf("the descriptors in %s are not complete: %s", path, plain(err)), makeDescriptors)
	}
	return find(files, m, func() []string { return servicesOf(files) })
}

// find looks up a unary method. If the service is unknown it asks for those that
// are known.
func find(files *protoregistry.Files, m method, services func() []string) (*description, *run.ActionError) {
	d, err := files.FindDescriptorByName(protoreflect.FullName(m.service))
	service, ok := d.(protoreflect.ServiceDescriptor)
	if err != nil || !ok {
		return nil, unknownService(m, services())
	}
	found := service.Methods().ByName(protoreflect.Name(m.name))
	if found == nil {
		return nil, unknownMethod(m, service.Methods())
	}
	if found.IsStreamingClient() || found.IsStreamingServer() {
		return nil, invalid(fmt.Sprintf("%v is a streaming method", m), "a trigger makes unary calls only; a command can do the others")
	}
	return &description{found, newTypes(files)}, nil
}

func unknownService(m method, known []string) *run.ActionError {
	known = slices.DeleteFunc(slices.Sorted(slices.Values(known)), func(name string) bool { return strings.HasPrefix(name, "grpc.reflection.") })
	try := ""
	if near, ok := nearService(m.service, known); ok {
		try = "did you mean " + method{near, m.name}.String() + "?"
	} else if len(known) > 0 {
		try = "there is " + some(known)
	}
	return invalid("there is no service "+m.service, try)
}

// nearService also finds a name that lacks its package.
func nearService(name string, known []string) (string, bool) {
	for _, k := range known {
		if strings.HasSuffix(k, "."+name) {
			return k, true
		}
	}
	return diag.Suggest(name, known)
}

func unknownMethod(m method, methods protoreflect.MethodDescriptors) *run.ActionError {
	var known []string
	for i := range methods.Len() {
		known = append(known, string(methods.Get(i).Name()))
	}
	try := ""
	if near, ok := diag.Suggest(m.name, known); ok {
		try = "did you mean " + method{m.service, near}.String() + "?"
	} else if len(known) > 0 {
		try = "it has " + some(known)
	}
	return invalid(fmt.Sprintf("the service %s has no method %q", m.service, m.name), try)
}

// some lists names, not too many.
func some(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func servicesOf(files *protoregistry.Files) []string {
	var names []string
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			names = append(names, string(f.Services().Get(i).FullName()))
		}
		return true
	})
	return names
}

// plain is what package protobuf says, without its name, whose space may be of a
// kind that does not break.
func plain(err error) string {
	return strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
}
