package grpctrigger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/followspan/followspan/internal/run"
)

// decode turns the reply into JSON. Fields with their default value are there, so
// that an assertion finds the zero that was sent by being left out.
func decode(d *description, reply []byte) ([]byte, *run.ActionError) {
	unreadable := func(err error) *run.ActionError {
		return &run.ActionError{Class: "unreadable_reply", What: fmt.Sprintf("the reply cannot be read as %s: %s", d.Output().FullName(), plain(err)), Err: err}
	}
	message := dynamicpb.NewMessage(d.Output())
	if err := (proto.UnmarshalOptions{Resolver: d.types}).Unmarshal(reply, message); err != nil {
		return nil, unreadable(err)
	}
	body, err := marshal(message, d.types)
	if err != nil {
		return nil, unreadable(err)
	}
	return body, nil
}

// marshal returns compact JSON, the same for the same message.
func marshal(m proto.Message, t types) ([]byte, error) {
	data, err := (protojson.MarshalOptions{EmitDefaultValues: true, Resolver: t}).Marshal(m)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer // package protojson varies its blanks on purpose
	err = json.Compact(&compact, data)
	return compact.Bytes(), err
}

// failure is the body of an answer that is an error.
func failure(s *status.Status, t types) []byte {
	body := struct {
		Code    string            `json:"code"`
		Message string            `json:"message"`
		Details []json.RawMessage `json:"details"`
	}{codeName(int(s.Code())), s.Message(), []json.RawMessage{}}
	for _, d := range s.Proto().GetDetails() {
		body.Details = append(body.Details, detail(d, t))
	}
	data, _ := json.Marshal(body) // texts and valid JSON always have an encoding
	return data
}

// detail is one detail of an error. Of a type that is not known only the bytes can
// be told.
func detail(d *anypb.Any, t types) json.RawMessage {
	if data, err := marshal(d, t); err == nil {
		return data
	}
	data, _ := json.Marshal(struct {
		Type  string `json:"@type"`
		Value []byte `json:"value"`
	}{d.GetTypeUrl(), d.GetValue()})
	return data
}

// codeName is what the specification calls a status, such as NOT_FOUND; a code
// that it does not know stays a number.
func codeName(status int) string {
	if name, ok := code.Code_name[int32(status)]; ok {
		return name
	}
	return strconv.Itoa(status)
}
