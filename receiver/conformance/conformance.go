// Package conformance is a table of requests and what a receiver of OTLP traces must
// answer to them, each with the section of the specification that says so.
//
// [Cases] is the table, [Run] sends one case. The tests of this package run it
// against followspan, or against any address: see README.md.
package conformance

import (
	"fmt"

	"google.golang.org/grpc/codes"
)

// Transport is how a request is sent.
type Transport uint8

const (
	GRPC     Transport = iota
	Protobuf           // OTLP/HTTP
	JSON               // OTLP/HTTP
)

var transportNames = [...]string{"gRPC", "HTTP protobuf", "HTTP JSON"}

// String returns the words that names of cases begin with.
func (t Transport) String() string { return transportNames[t] }

// mediaType is the content type of OTLP/HTTP.
func (t Transport) mediaType() string {
	if t == JSON {
		return "application/json"
	}
	return "application/x-protobuf"
}

// State is in which state a receiver must be for a case.
type State uint8

const (
	Ready  State = iota // as it was started
	Full                // it takes nothing at the moment
	Closed              // it will never take what it is sent
)

// Case is a request and what a receiver must answer.
type Case struct {
	Transport Transport
	What      string // what is special about the request
	Section   string // of OTLP 1.11 unless it names another specification
	State     State

	Method  string // of HTTP; of gRPC the full method
	Path    string
	Header  [][2]string // of HTTP; replaces the content type that the transport has
	Coding  string      // the compression of gRPC
	Payload string      // as it is on the wire, but for gRPC's compression

	Want Answer
}

// Name is unique in the table.
func (c Case) Name() string { return fmt.Sprintf("%s: %s", c.Transport, c.What) }

// Answer is what a receiver must say. Of an HTTP answer with another status than 200
// the body is a google.rpc.Status, whose code says nothing (OTLP 1.11, "Failures").
type Answer struct {
	HTTP     int
	GRPC     codes.Code
	Detail   string   // the type of a detail of the status, such as BadRequest
	Header   string   // one that an HTTP answer has
	Rejected int      // spans, by partial_success; otherwise that is unset
	NoBody   bool     // of HTTP: none is wanted
	Unlike   []string // types of details that must not be there

	// Kept is how many spans the receiver passes on, which shows only where it is
	// known what became of them.
	Kept int
}

// What senders are told.
var (
	accepted   = Answer{HTTP: 200, GRPC: codes.OK, Kept: 1}
	empty      = Answer{HTTP: 200, GRPC: codes.OK}
	badData    = Answer{HTTP: 400, GRPC: codes.InvalidArgument, Detail: "BadRequest", Unlike: []string{"RetryInfo"}}
	tooLarge   = Answer{HTTP: 413, GRPC: codes.ResourceExhausted, Unlike: []string{"RetryInfo"}}
	notFound   = Answer{HTTP: 404, GRPC: codes.Unimplemented}
	notAllowed = Answer{HTTP: 405, Header: "Allow"}
	unknown    = Answer{HTTP: 415, GRPC: codes.Unimplemented}
	overloaded = Answer{HTTP: 503, GRPC: codes.Unavailable, Detail: "RetryInfo", Header: "Retry-After"}
)

func rejecting(spans, kept int) Answer {
	return Answer{HTTP: 200, GRPC: codes.OK, Rejected: spans, Kept: kept}
}

func keeping(spans int) Answer { return Answer{HTTP: 200, GRPC: codes.OK, Kept: spans} }

const (
	exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	tracesPath   = "/v1/traces"
)

// Cases is the whole table.
func Cases() (all []Case) {
	for _, part := range [][]Case{
		acceptedCases(), partialCases(), badCases(), jsonCases(), protobufCases(),
		codingCases(), sizeCases(), httpCases(), grpcCases(), stateCases(),
	} {
		all = append(all, part...)
	}
	return all
}
