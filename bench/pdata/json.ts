import type protobuf from "protobufjs";

/** OTLP/JSON by way of protobufjs objects and V8's own JSON: what the direct kernels are compared with. */

interface Ids {
  traceId?: Uint8Array | string;
  spanId?: Uint8Array | string;
  parentSpanId?: Uint8Array | string;
}
interface Request {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Ids[] }[] }[];
}

/** The request as OTLP/JSON text: ids in hex, 64-bit integers as text, enums as numbers. */
export function jsonOf(type: protobuf.Type, bytes: Buffer): string {
  const request = type.toObject(type.decode(bytes), { longs: String }) as Request;
  convertIds(request, (id) => Buffer.from(id as Uint8Array).toString("hex"));
  return JSON.stringify(request);
}

/** The serialized request of an OTLP/JSON text. */
export function requestOf(type: protobuf.Type, text: string): Uint8Array {
  const request = JSON.parse(text) as Request;
  convertIds(request, (id) => Buffer.from(id as string, "hex"));
  return type.encode(type.fromObject(request)).finish();
}

function convertIds(request: Request, convert: (id: Uint8Array | string) => Uint8Array | string): void {
  for (const { scopeSpans } of request.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        if (span.traceId !== undefined) span.traceId = convert(span.traceId);
        if (span.spanId !== undefined) span.spanId = convert(span.spanId);
        if (span.parentSpanId !== undefined) span.parentSpanId = convert(span.parentSpanId);
      }
    }
  }
}
