// Package grpctrigger makes flows happen by unary gRPC calls.
//
// Most callers need only [New], which is what run.Settings asks for. Nothing is
// generated: the server's reflection, or a file of descriptors, says what a
// message looks like, and JSON goes in and comes out as protobuf's JSON mapping
// has it: fields in lowerCamelCase, 64-bit integers as strings, fields with
// their default value included.
//
// A call is made once, over a connection of its own, and never again. Whatever
// status a server answers is an answer; only where none answered is it an error.
package grpctrigger

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/followspan/followspan/internal/run"
	"github.com/followspan/followspan/trace"
)

// DefaultTimeout is that of a call which sets none.
const DefaultTimeout = 10 * time.Second

// maxReply bounds each message that a server sends.
const maxReply = 10 << 20

// New returns the action that makes a call.
func New(call run.GRPCCall) run.Action { return &action{call} }

type action struct{ call run.GRPCCall }

// String returns the method and the target.
func (a *action) String() string { return a.call.Method + " on " + a.call.Target }

// Do makes the call. Its error is an *run.ActionError. The timeout is for all of
// it, from connecting on; the span is that of the call alone, unless it did not
// come to that.
func (a *action) Do(ctx context.Context, t run.TraceContext) run.Performed {
	p := run.Performed{Span: a.span(t), ExitCode: -1}
	ctx, cancel := withTimeout(ctx, a.call.Clock, a.limit())
	defer cancel()
	began := a.call.Clock.Now()
	r, err := a.prepare(ctx, t)
	if err == nil {
		defer r.conn.close()
		began = a.call.Clock.Now()
		p.Response, err = r.send(ctx)
	}
	took := a.call.Clock.Now().Sub(began)
	p.Span.Start = trace.TimeOf(began)
	p.Span.End = p.Span.Start.Add(took)
	if p.Response != nil {
		p.Response.Duration = took
	}
	conclude(&p, err)
	return p
}

func (a *action) limit() time.Duration { return cmp.Or(a.call.Timeout, DefaultTimeout) }

// span starts the span as the semantic conventions for RPC clients ask.
// https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
func (a *action) span(t run.TraceContext) trace.SpanData {
	s := trace.SpanData{
		TraceID: t.TraceID, ID: t.SpanID, Name: "grpc", Kind: trace.Client, Flags: sampled,
		Attrs: []trace.Attr{textAttr("rpc.system.name", "grpc")},
	}
	if m, err := parseMethod(a.call.Method); err == nil {
		s.Name = m.String()
		s.Attrs = append(s.Attrs, textAttr("rpc.method", m.String()))
	}
	if target, err := parseTarget(a.call.Target); err == nil {
		port, _ := strconv.Atoi(target.port) // parseTarget saw to it
		s.Attrs = append(s.Attrs, textAttr("server.address", target.host),
			trace.Attr{Key: "server.port", Value: trace.IntValue(int64(port))})
	}
	return s
}

// conclude books the answer, or why there is none, in the span.
func conclude(p *run.Performed, err *run.ActionError) {
	class, message := "", ""
	if p.Response != nil {
		name := codeName(p.Response.Status)
		p.Span.Attrs = append(p.Span.Attrs, textAttr("rpc.response.status_code", name))
		if p.Response.Status != 0 {
			class = name
		}
	}
	if err != nil {
		p.Err = err
		class, message = err.Class, err.What
	}
	if class != "" {
		p.Span.Status, p.Span.StatusMessage = trace.Error, message
		p.Span.Attrs = append(p.Span.Attrs, textAttr("error.type", class))
	}
}

// sampled is the W3C trace flag.
const sampled = 1

func textAttr(key, value string) trace.Attr {
	return trace.Attr{Key: key, Value: trace.StringValue(value)}
}
