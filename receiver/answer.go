package receiver

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// partial is the partial_success of an answer; the zero value leaves it unset, as
// a full success must (OTLP 1.x, "Full Success").
type partial struct {
	rejected int
	message  string
}

// advise adds what the sender's owner should mend, for the log of the sender: with
// no span rejected the message is a warning (OTLP 1.x, "Partial Success").
func (s *Server) advise(p *partial, advice string) {
	if s.settings.NoAdvice {
		return
	}
	if p.message != "" {
		p.message += "; "
	}
	p.message += advice
}

// answer encodes an Export…ServiceResponse: all signals have the same.
func (p partial) answer(f format) []byte {
	if f == jsonFormat {
		return p.json()
	}
	if p == (partial{}) {
		return nil
	}
	var b []byte
	if p.rejected != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), uint64(p.rejected))
	}
	if p.message != "" {
		b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), p.message)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), b)
}

func (p partial) json() []byte {
	if p == (partial{}) {
		return []byte("{}")
	}
	type success struct {
		Rejected int    `json:"rejectedSpans,string,omitempty"` // 64-bit integers are strings
		Message  string `json:"errorMessage,omitempty"`
	}
	b, err := json.Marshal(map[string]success{"partialSuccess": {p.rejected, p.message}})
	if err != nil {
		panic(err) // a number and a string always have an encoding
	}
	return b
}

// answer encodes the failure as the body of an HTTP response.
func (f *failure) answer(as format) ([]byte, error) {
	st := f.status().Proto()
	if as == jsonFormat {
		return protojson.Marshal(st)
	}
	return proto.Marshal(st)
}
