package receiver

import (
	"bytes"
	"fmt"

	"google.golang.org/grpc/mem"
)

// rawCodec hands messages over as bytes, so that they are decoded under the limits
// of this package.
type rawCodec struct{}

// message is a request as it was on the wire, decompressed. It has its buffer from
// the pool that HTTP uses too: grpc-go's own clears the megabyte that it takes for a
// request of ordinary size, which costs more than to receive one.
type message struct{ buffer *bytes.Buffer }

// reply is an encoded answer.
type reply []byte

func (m *message) bytes() []byte { return m.buffer.Bytes() }

func (m *message) free() { putBuffer(m.buffer) }

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
	m.buffer = buffers.Get().(*bytes.Buffer)
	m.buffer.Grow(data.Len())
	for _, part := range data {
		m.buffer.Write(part.ReadOnlyData())
	}
	return nil
}
