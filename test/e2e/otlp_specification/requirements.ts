/** What the OTLP specification 1.11 asks of servers and clients, in our words; each row has a test of its name. */
export interface Requirement {
  readonly section: string;
  readonly level: "MUST" | "MUST NOT" | "SHOULD" | "SHOULD NOT";
  readonly asks: string;
  /** What the Collector, and so otelpipe by default, does instead. `conformance: specification` does as asked. */
  readonly collector?: string;
}

const must = (section: string, asks: string, collector?: string): Requirement => ({
  section,
  level: "MUST",
  asks,
  ...(collector !== undefined && { collector }),
});
const mustNot = (section: string, asks: string): Requirement => ({ section, level: "MUST NOT", asks });
const should = (section: string, asks: string, collector?: string): Requirement => ({
  ...must(section, asks, collector),
  level: "SHOULD",
});

/** Of the `otlp` receiver, over gRPC. */
export const grpcServer = {
  "takes calls without compression and with gzip": must("Protocol Details", "support none and gzip"),
  "limits a message to 4 MiB, also once it is inflated: RESOURCE_EXHAUSTED": must(
    "OTLP/gRPC Request",
    "limit the size of messages; 4 MiB by default is fine",
  ),
  "answers each signal with its own response message": must(
    "OTLP/gRPC Response",
    "answer with the response of the signal",
  ),
  "answers an empty request with success": should("Full Success", "take a request without telemetry"),
  "leaves partial_success unset on success": must("Full Success", "leave `partial_success` unset when all was taken"),
  "takes a request whole or refuses it whole, never half": must(
    "Partial Success",
    "set `partial_success` and the rejected count when a part was refused",
  ),
  "tells a client to come back with UNAVAILABLE and RetryInfo": should(
    "Failures, Throttling",
    "signal what can be retried, and overload, with UNAVAILABLE",
  ),
  "tells a client never to come back with bad data: INVALID_ARGUMENT": should(
    "Failures",
    "signal what cannot be retried with a code that says so",
  ),
  "answers calls side by side": should("Concurrent Requests", "several calls may be in flight"),
  "listens on port 4317 unless told otherwise": must("Default Port", "4317"),
  "takes messages with fields it does not know, and keeps them": must(
    "Future Versions and Interoperability",
    "work with newer clients",
  ),
} as const satisfies Record<string, Requirement>;

/** Of the `otlp` receiver, over HTTP. */
export const httpServer = {
  "takes bodies without compression and with gzip": must("Protocol Details", "support none and gzip"),
  "takes POST requests, protobuf and JSON on one port": should(
    "OTLP/HTTP, Connection",
    "tell the encodings apart by `Content-Type`",
  ),
  "takes each signal on its standard path": must(
    "OTLP/HTTP Request",
    "`/v1/traces`, `/v1/metrics`, `/v1/logs`, `/v1development/profiles`",
  ),
  "answers in the content type of the request, refusals too": must(
    "OTLP/HTTP Response",
    "the same `Content-Type` as the request's",
    "`text/plain` where no handler of OTLP is reached (404, 405, 415)",
  ),
  "limits a body to 20 MiB, also once it is inflated": must(
    "OTLP/HTTP Request",
    "limit the size of bodies before and after decompression",
  ),
  "says 413 for a body over the limit": should("OTLP/HTTP Request", "answer 413", "400"),
  "answers success with 200 and the response message of the signal": must(
    "Full Success",
    "200 and `Export…ServiceResponse`",
  ),
  "leaves partialSuccess unset on success": must(
    "Full Success",
    "leave `partial_success` unset when all was taken",
    "set, but empty",
  ),
  "answers an empty request with success": should("Full Success", "take a request without telemetry"),
  "takes a request whole or refuses it whole, never half": must(
    "Partial Success",
    "set `partial_success` and the rejected count when a part was refused",
  ),
  "puts a Status into the body of every refusal": must(
    "Failures",
    "a `google.rpc.Status` with every 4xx and 5xx",
    "plain text with 404, 405 and 415",
  ),
  "answers 400 to what cannot be decoded": must("Bad Data", "400"),
  "answers 503 with Retry-After when overloaded": should("Throttling", "429 or 503, with `Retry-After`"),
  "reads trace and span ids as hex of either case": must("JSON Protobuf Encoding", "hex, not base64"),
  "reads 64-bit integers as numbers and as text": must("JSON Protobuf Encoding", "either form"),
  "reads enums as integers, and refuses their names": must(
    "JSON Protobuf Encoding",
    "integers only",
    "names are taken as well",
  ),
  "knows names in lowerCamelCase only": must(
    "JSON Protobuf Encoding",
    "original field names are no keys",
    "snake_case is taken as well",
  ),
  "ignores JSON names that it does not know": must("JSON Protobuf Encoding", "as if they were not there"),
  "keeps connections open and answers requests side by side": should(
    "Connection, Concurrent Requests",
    "several connections",
  ),
  "listens on port 4318 unless told otherwise": must("Default Port", "4318"),
} as const satisfies Record<string, Requirement>;

/** Of the exporter `otlp_grpc`. */
export const grpcClient = {
  "sends requests plain and with gzip": must("Protocol Details", "support none and gzip"),
  "does not repeat a request that was too large": must("OTLP/gRPC Request", "treat it as not retryable"),
  "does not repeat a request that was taken in part": mustNot("Partial Success", "retry"),
  "drops what can never be taken, and counts it": mustNot("Failures", "retry what is not retryable; drop it"),
  "retries CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and DATA_LOSS, and no other code": should(
    "Failures",
    "follow the table of codes",
  ),
  "retries RESOURCE_EXHAUSTED only with RetryInfo": should("Failures", "take it for final without RetryInfo"),
  "waits as long as RetryInfo says": must("Throttling", "throttle when told to"),
  "waits longer and longer, and not twice the same": should("Failures", "exponential backoff"),
  "sends several requests at once, as many as told to": should("Concurrent Requests", "concurrent calls, configurable"),
} as const satisfies Record<string, Requirement>;

/** Of the exporter `otlp_http`. */
export const httpClient = {
  "posts each signal to its standard path": must("OTLP/HTTP Request", "POST to the default paths"),
  "says what it sends: application/x-protobuf or application/json": must(
    "Binary, JSON Protobuf Encoding",
    "set `Content-Type`",
  ),
  "says when a body is gzipped": must("OTLP/HTTP Request", "`Content-Encoding: gzip`"),
  "writes ids as hex, enums and 64-bit integers as JSON wants them, names in lowerCamelCase": must(
    "JSON Protobuf Encoding",
    "hex ids, integer enums, decimal texts, camelCase",
  ),
  "does not repeat a request that was taken in part": mustNot("Partial Success", "retry"),
  "does not repeat after 400": mustNot("Bad Data", "retry"),
  "does not repeat after 413": mustNot("OTLP/HTTP Request", "retry"),
  "does not repeat after any other 4xx or 5xx": mustNot("Retryable Response Codes", "retry other codes than the four"),
  "repeats after 429, 502, 503 and 504": should("Retryable Response Codes", "retry"),
  "waits as long as Retry-After says": should("Throttling", "honour `Retry-After`"),
  "waits longer and longer, and not twice the same": must("Throttling, Connection", "exponential backoff with jitter"),
  "repeats when the server hangs up without an answer": should("All Other Responses", "retry with backoff"),
  "repeats when there is no server": should("Connection", "retry with backoff and jitter"),
  "goes where 307 and 308 send it": should("All Other Responses", "follow HTTP"),
  "keeps its connection open between requests": should("Connection", "keep alive"),
  "sends several requests at once, as many as told to": should(
    "Concurrent Requests",
    "parallel connections, configurable",
  ),
  "takes answers with fields that it does not know": must(
    "Future Versions and Interoperability",
    "work with newer servers",
  ),
} as const satisfies Record<string, Requirement>;

/** The parts of `docs/otlp-conformance.md`, in its order. */
export const parts = [
  { title: "Receiver `otlp`, gRPC", file: "test/e2e/otlp_specification/grpc_server.test.ts", rows: grpcServer },
  { title: "Receiver `otlp`, HTTP", file: "test/e2e/otlp_specification/http_server.test.ts", rows: httpServer },
  { title: "Exporter `otlp_grpc`", file: "test/e2e/otlp_specification/grpc_client.test.ts", rows: grpcClient },
  { title: "Exporter `otlp_http`", file: "test/e2e/otlp_specification/http_client.test.ts", rows: httpClient },
] as const;
