package conformance

// httpCases are about what is around the body.
func httpCases() (all []Case) {
	const types = "Binary Protobuf Encoding; JSON Protobuf Encoding; RFC 9110, 8.3"
	for _, c := range []struct {
		transport Transport
		header    string
		want      Answer
	}{
		{Protobuf, "application/x-protobuf; charset=utf-8", accepted},
		{Protobuf, "Application/X-Protobuf", accepted},
		{Protobuf, "application/protobuf", accepted},
		{JSON, "application/json; charset=utf-8", accepted},
		{JSON, "APPLICATION/JSON", accepted},
		{JSON, "text/plain", unknown},
		{JSON, "", unknown},
		{Protobuf, "application/octet-stream", unknown},
		{Protobuf, "multipart/form-data; boundary=x", unknown},
	} {
		payload := span()
		if c.transport == Protobuf {
			payload = inProtobuf(payload)
		}
		r := request(c.transport, "content type "+c.header, types, payload, c.want)
		r.Header = [][2]string{{"Content-Type", c.header}}
		all = append(all, r)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		all = append(all, overHTTP("method "+method, "OTLP/HTTP Request; RFC 9110, 15.5.6", func(r *Case) {
			r.Method, r.Payload, r.Want = method, "", notAllowed
		})...)
	}
	head := request(JSON, "method HEAD", "OTLP/HTTP Request; RFC 9110, 9.3.2", "", Answer{HTTP: 405, Header: "Allow", NoBody: true})
	head.Method = "HEAD"
	return append(append(all, head), pathCases()...)
}

func pathCases() (all []Case) {
	const wrong = "OTLP/HTTP Request; Failures: every 4xx has a Status"
	for _, path := range []string{"/v1/spans", "/v2/traces", "/api/v2/spans"} {
		all = append(all, overHTTP("unknown path "+path, wrong, func(r *Case) { r.Path, r.Want = path, notFound })...)
	}
	for _, path := range []string{"/v1/metrics", "/v1/logs"} {
		all = append(all,
			Case{Transport: Protobuf, What: "an empty request to " + path, Section: "OTLP/HTTP Request", Method: "POST", Path: path, Want: empty},
			Case{Transport: JSON, What: "an empty request to " + path, Section: "OTLP/HTTP Request", Method: "POST", Path: path, Payload: "{}", Want: empty})
	}
	return all
}

// grpcCases are about what is around the message.
func grpcCases() []Case {
	other := func(what, section, method string, want Answer) Case {
		c := request(GRPC, what, section, "", want)
		c.Method = method
		return c
	}
	const services = "OTLP/gRPC Service and Protobuf Definitions"
	mislabelled := request(GRPC, "gzip that is none", "Failures", inProtobuf(span()), Answer{GRPC: 13, Unlike: []string{"RetryInfo"}})
	mislabelled.Coding = "no gzip"
	return []Case{
		other("metrics", services, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", empty),
		other("logs", services, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", empty),
		other("a service that does not exist", "gRPC, status codes", "/opentelemetry.proto.collector.trace.v9.TraceService/Export", notFound),
		other("a method that does not exist", "gRPC, status codes", "/opentelemetry.proto.collector.trace.v1.TraceService/Import", notFound),
		mislabelled,
	}
}

// stateCases are what a receiver says that does not take what it could decode.
func stateCases() (all []Case) {
	in := func(state State, cases []Case) {
		for _, c := range cases {
			c.State = state
			all = append(all, c)
		}
	}
	in(Full, everywhere("a request at a time of overload", "OTLP/gRPC Throttling; OTLP/HTTP Throttling", span(), overloaded))
	in(Full, everywhere("an empty request at a time of overload", "Full Success", `{}`, empty))
	in(Closed, everywhere("a request that is refused for good", "Failures", span(), badData))
	return all
}
