// Package receiver is an OTLP endpoint: senders reach it over gRPC or HTTP, and it
// hands the spans that they export to a [Sink].
//
// Most callers need only [Start] and [Server.Shutdown]. Both protocols are served
// on both ports, and what senders commonly get wrong is served or explained rather
// than answered with a cut connection. What is acknowledged has been taken by the
// Sink; what is refused is counted by reason and sender, see [Server.Stats].
//
// No input makes it panic or hold on to memory: a request costs at most its limit,
// also one that grows when it is decompressed.
package receiver
