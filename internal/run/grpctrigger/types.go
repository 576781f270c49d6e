package grpctrigger

import (
	// The usual details of an error can then be told in words.
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// types resolves what an Any holds and which extensions there are: those of the
// descriptions, else those of this program.
type types struct{ described *dynamicpb.Types }

func newTypes(files *protoregistry.Files) types { return types{dynamicpb.NewTypes(files)} }

// FindMessageByName finds a message type.
func (t types) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	if m, err := t.described.FindMessageByName(name); err == nil {
		return m, nil
	}
	return protoregistry.GlobalTypes.FindMessageByName(name)
}

// FindMessageByURL finds a message type.
func (t types) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if m, err := t.described.FindMessageByURL(url); err == nil {
		return m, nil
	}
	return protoregistry.GlobalTypes.FindMessageByURL(url)
}

// FindExtensionByName finds an extension.
func (t types) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return t.described.FindExtensionByName(name)
}

// FindExtensionByNumber finds an extension.
func (t types) FindExtensionByNumber(message protoreflect.FullName, field protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	return t.described.FindExtensionByNumber(message, field)
}
