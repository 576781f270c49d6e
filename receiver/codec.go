package receiver

import (
	"fmt"

	"google.golang.org/grpc/mem"
)

// rawCodec hands messages over as bytes, so that they are decoded under the limits
// of this package.
type rawCodec struct{}

// message is a request as it was on the wire, decompressed.
type message struct{ buffer mem.Buffer }

// reply is an encoded answer.
type reply []byte

func (m *message) bytes() []byte { return m.buffer.ReadOnlyData() }

func (m *message) free() { m.buffer.Free() }

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	r, ok := v.(reply)
	if !ok {
		return nil, fmt.Errorf("marshal %T: want a reply", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(r)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return fmt.Errorf("unmarshal %T: want a message", v)
	}
	m.buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
	return nil
}
