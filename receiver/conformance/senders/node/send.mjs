// Exports one trace with the OpenTelemetry SDK for Node.js, set up by the OTEL_*
// variables of its environment alone, and prints its id. SPANS says how many
// children the root has.
import { trace, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({ instrumentations: [] });
sdk.start();
const tracer = trace.getTracer('conformance', '1.2.3');
tracer.startActiveSpan('place order', { kind: SpanKind.SERVER }, (root) => {
  root.setAttributes({ text: 'ü', int: 42, double: 1.5, bool: true, list: ['a', 'b'], numbers: [1, 2], big: Number.MAX_SAFE_INTEGER });
  root.addEvent('retry', { attempt: 2 });
  const children = Number(process.env.SPANS ?? 1);
  for (let i = 0; i < children; i++) {
    tracer.startSpan('query', { kind: SpanKind.CLIENT, attributes: { i }, links: [{ context: root.spanContext(), attributes: { why: 'test' } }] }).end();
  }
  root.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
  root.end();
  console.log(root.spanContext().traceId);
});
await sdk.shutdown();
