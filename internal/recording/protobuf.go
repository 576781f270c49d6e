package recording

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/followspan/followspan/internal/otlp"
)

// protobufReader reads a file whose records have their length before them.
type protobufReader struct {
	*file
	r      *bufio.Reader
	at     int64 // how much of r was read
	record int
	start  int64 // of the record
	buffer bytes.Buffer
	otlp   *otlp.Decoder
	zstd   *zstd.Decoder // nil until a record is compressed
}

func (f *file) protobuf(r *bufio.Reader) *protobufReader {
	return &protobufReader{file: f, r: r, otlp: otlp.NewDecoder(&f.builder, otlp.Limits{
		Elements: f.elements(), Attributes: math.MaxInt, Events: math.MaxInt,
	})}
}

// message reads one TracesData, however large: its resource_spans one by one.
func (f *file) message(r *bufio.Reader) error {
	p := f.protobuf(r)
	for {
		p.record++
		p.start = p.at
		tag, err := p.varint()
		switch {
		case err == io.EOF:
			return f.flush()
		case err != nil:
			return p.broken(err)
		}
		field, typ := protowire.DecodeTag(tag)
		if typ != protowire.BytesType {
			return p.broken(fmt.Errorf("this is no OTLP protobuf: field %d has wire type %d", field, typ))
		}
		n, err := p.varint()
		if err != nil {
			return p.broken(noEOF(err))
		}
		p.buffer.Reset()
		p.buffer.Write(protowire.AppendVarint(protowire.AppendTag(nil, field, typ), n))
		if err := p.take(n); err != nil {
			return err
		}
		if p.buffer.Len() == 0 || field != 1 {
			continue
		}
		if err := p.request(p.buffer.Bytes()); err != nil {
			return err
		}
	}
}

// frameHead is the length of a record's length.
const frameHead = 4

// frames reads what the Collector's file exporter writes: the length of a record
// in four bytes, then the record, in protobuf or JSON, plain or in zstd.
func (f *file) frames(r *bufio.Reader) error {
	p := f.protobuf(r)
	defer p.close()
	for {
		p.record++
		p.start = p.at
		var head [frameHead]byte
		switch n, err := io.ReadFull(p.r, head[:]); {
		case err == io.EOF:
			return f.flush()
		case err != nil:
			p.at += int64(n)
			return p.broken(err)
		}
		p.at += frameHead
		p.buffer.Reset()
		if err := p.take(uint64(binary.BigEndian.Uint32(head[:]))); err != nil {
			return err
		}
		if err := p.frame(p.buffer.Bytes()); err != nil {
			return err
		}
	}
}

func (p *protobufReader) close() {
	if p.zstd != nil {
		p.zstd.Close()
	}
}

func (p *protobufReader) frame(content []byte) error {
	if bytes.HasPrefix(content, zstdStart) {
		plain, err := p.unpack(content)
		if err != nil {
			return p.bad(err)
		}
		content = plain
	}
	if !isJSON(content) || isMessage(content) {
		return p.request(content)
	}
	p.stamp = func(e *Error) { e.Unit, e.Record, e.Offset = "record", p.record, e.Offset+p.start+frameHead }
	defer func() { p.stamp = nil }()
	return p.json(newLines(bufio.NewReader(bytes.NewReader(content))))
}

// unpack decompresses one record within the limit.
func (p *protobufReader) unpack(content []byte) ([]byte, error) {
	if p.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(p.settings.MaxRecord)))
		if err != nil {
			return nil, err
		}
		p.zstd = z
	}
	plain, err := p.zstd.DecodeAll(content, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = p.tooLarge("this record")
	}
	return plain, err
}

// take appends the next n bytes, which are a record, to the buffer. The buffer is
// empty if the record is too large and the reader is lenient.
func (p *protobufReader) take(n uint64) error {
	if n > uint64(p.settings.MaxRecord) {
		p.buffer.Reset()
		if err := p.bad(p.tooLarge(fmt.Sprintf("a record of %d bytes", n))); err != nil {
			return err
		}
		return p.read(io.Discard, n)
	}
	return p.read(&p.buffer, n)
}

func (p *protobufReader) read(to io.Writer, n uint64) error {
	got, err := io.CopyN(to, p.r, int64(min(n, 1<<62)))
	p.at += got
	if err != nil {
		p.buffer.Reset()
		return p.broken(noEOF(err))
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (p *protobufReader) varint() (uint64, error) {
	n, err := binary.ReadUvarint(byteReader{p})
	return n, err
}

type byteReader struct{ p *protobufReader }

func (b byteReader) ReadByte() (byte, error) {
	c, err := b.p.r.ReadByte()
	if err == nil {
		b.p.at++
	}
	return c, err
}

// request decodes one message and hands its spans out.
func (p *protobufReader) request(content []byte) error {
	if p.report.Format == Unknown {
		p.report.Format = OTLPProtobuf
	}
	refused, err := p.otlp.Protobuf(content)
	if err != nil {
		p.builder.Rollback()
		var e *otlp.Error
		switch {
		case errors.As(err, &e) && e.Reason == otlp.WrongSignal:
			p.report.skip("logs or metrics")
			return nil
		case errors.As(err, &e) && e.Reason == otlp.TooMany:
			err = tooMany(p.elements())
		}
		return p.bad(err)
	}
	for _, r := range refused {
		if err := p.bad(refusal(r)); err != nil {
			p.builder.Rollback()
			return err
		}
	}
	return p.flush()
}

func refusal(r otlp.Refusal) error {
	spans := "spans"
	if r.Spans == 1 {
		spans = "span"
	}
	return fmt.Errorf("%d %s of %q: %s", r.Spans, spans, r.Service, r.Reason)
}

// bad reports a record that cannot be understood; the error is nil if reading goes
// on behind it.
func (p *protobufReader) bad(err error) error {
	return p.fault(&Error{File: p.name, Unit: "record", Record: p.record, Offset: p.start, Err: err})
}

// broken reports that nothing more can be read.
func (p *protobufReader) broken(err error) error {
	if err := p.fault(&Error{File: p.name, Unit: "record", Record: p.record, Offset: p.at, Err: p.unreadable(err)}); err != nil {
		return err
	}
	return p.flush()
}
