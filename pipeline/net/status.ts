import { ConsumeError } from "../delivery.ts";
import { bytesField, readFields, varintField } from "./protobuf.ts";

/** gRPC status codes by name. */
export const rpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

const goCodeNames = [
  ["OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied"],
  ["ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable"],
  ["DataLoss", "Unauthenticated"],
].flat();

/** How gRPC writes a code for people: `Unavailable`, `Code(99)`. */
export function rpcCodeName(code: number): string {
  return goCodeNames[code] ?? `Code(${code})`;
}

/** A status other than OK, on either transport. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** When the caller may come back, in milliseconds; travels as `google.rpc.RetryInfo`. */
  readonly retryDelayMs?: number;
}

const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/**
 * The status a caller is told for `error`: its own when it carries one, UNAVAILABLE when it may be retried, else INTERNAL.
 * @see The Collector's `receiver/otlpreceiver/internal/errors`.
 */
export function statusOf(error: ConsumeError): RpcStatus {
  const delay = error.delayMs === undefined ? {} : { retryDelayMs: error.delayMs };
  if (error.grpcStatus !== undefined) return { code: error.grpcStatus, message: error.message, ...delay };
  if (error.retryable) return { code: rpcCode.unavailable, message: error.message, ...delay };
  return { code: rpcCode.internal, message: `Permanent error: ${error.message}` };
}

const httpStatusByCode = new Map<number, number>([
  ...[1, 4, 10, 11, 14, 15].map((code) => [code, 503] as const),
  [rpcCode.resourceExhausted, 429],
  [rpcCode.invalidArgument, 400],
  [rpcCode.unauthenticated, 401],
  [rpcCode.permissionDenied, 403],
  [rpcCode.unimplemented, 404],
]);

/** The HTTP status that says what a gRPC code says. */
export function httpStatusOf(code: number): number {
  return httpStatusByCode.get(code) ?? 500;
}

const codeByHttpStatus = new Map<number, number>([
  [400, rpcCode.invalidArgument],
  [401, rpcCode.unauthenticated],
  [403, rpcCode.permissionDenied],
  [404, rpcCode.unimplemented],
  [429, rpcCode.resourceExhausted],
  [502, rpcCode.unavailable],
  [503, rpcCode.unavailable],
  [504, rpcCode.unavailable],
]);

/** The gRPC code for an HTTP status. */
export function rpcCodeOfHttp(status: number): number {
  return codeByHttpStatus.get(status) ?? rpcCode.unknown;
}

/** Whether the HTTP answer with `status` may carry `Retry-After`, and its value: whole seconds, cut off. */
export function retryAfterOf(status: RpcStatus, httpStatus: number): string | undefined {
  if (status.retryDelayMs === undefined || (httpStatus !== 429 && httpStatus !== 503)) return undefined;
  return String(Math.trunc(status.retryDelayMs / 1000));
}

/** Longer delays than this are shortened to it: an hour. */
const longestDelayMs = 3_600_000;

/** The milliseconds a `Retry-After` header asks for: seconds or an HTTP date; undefined when absent, negative or garbage. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestDelayMs);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const delay = Date.parse(text) - nowMs;
  return delay > 0 ? Math.min(delay, longestDelayMs) : undefined;
}

/** A `google.rpc.Status` as protobuf. */
export function encodeStatus(status: RpcStatus): Buffer {
  const parts = [varintField(1, status.code), bytesField(2, status.message)];
  if (status.retryDelayMs !== undefined) {
    const seconds = Math.trunc(status.retryDelayMs / 1000);
    const nanos = Math.round((status.retryDelayMs - seconds * 1000) * 1e6);
    const delay = Buffer.concat([varintField(1, seconds), varintField(2, nanos)]);
    parts.push(bytesField(3, Buffer.concat([bytesField(1, retryInfoType), bytesField(2, bytesField(1, delay))])));
  }
  return Buffer.concat(parts);
}

/** A `google.rpc.Status` as protobuf's JSON. */
export function statusToJson(status: RpcStatus): string {
  const delay = status.retryDelayMs;
  return JSON.stringify({
    code: status.code,
    message: status.message,
    ...(delay !== undefined && { details: [{ "@type": retryInfoType, retryDelay: `${delay / 1000}s` }] }),
  });
}

function delayOf(duration: Buffer): number {
  let milliseconds = 0;
  readFields(duration, (field, value) => {
    if (typeof value !== "number") return;
    if (field === 1) milliseconds += value * 1000;
    if (field === 2) milliseconds += value / 1e6;
  });
  return Math.min(Math.max(milliseconds, 0), longestDelayMs);
}

function retryInfoDelay(any: Buffer): number | undefined {
  let type = "";
  let payload: Buffer | undefined;
  readFields(any, (field, value) => {
    if (field === 1) type = value.toString();
    if (field === 2 && Buffer.isBuffer(value)) payload = value;
  });
  if (type !== retryInfoType || payload === undefined) return undefined;
  let delay = 0;
  readFields(payload, (field, value) => {
    if (field === 1 && Buffer.isBuffer(value)) delay = delayOf(value);
  });
  return delay;
}

/** The status in a protobuf `google.rpc.Status`; undefined when the bytes are none. */
export function decodeStatus(bytes: Buffer): RpcStatus | undefined {
  let code = 0;
  let message = "";
  let delay: number | undefined;
  try {
    readFields(bytes, (field, value) => {
      if (field === 1 && typeof value === "number") code = value;
      if (field === 2 && Buffer.isBuffer(value)) message = value.toString("utf8");
      if (field === 3 && Buffer.isBuffer(value)) delay = retryInfoDelay(value) ?? delay;
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return { code, message, ...(delay !== undefined && { retryDelayMs: delay }) };
}

const retryableCodes: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);

/** What an exporter makes of a gRPC status: RESOURCE_EXHAUSTED is retried only when the server says when. */
export function errorFromRpc(status: RpcStatus): ConsumeError {
  const { code, retryDelayMs } = status;
  const retryable = retryableCodes.has(code) || (code === rpcCode.resourceExhausted && retryDelayMs !== undefined);
  return new ConsumeError(`rpc error: code = ${rpcCodeName(code)} desc = ${status.message}`, {
    retryable,
    grpcStatus: code,
    ...(retryable && retryDelayMs !== undefined && { delayMs: retryDelayMs }),
  });
}

const retryableHttp: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What an exporter makes of an HTTP answer other than 2xx. `body` is read as a protobuf Status when it is one. */
export function errorFromHttp(
  url: string,
  answer: { readonly status: number; readonly body: Buffer; readonly retryAfter: string | undefined },
  nowMs: number,
): ConsumeError {
  const details = answer.body.length > 0 ? decodeStatus(answer.body) : undefined;
  const delayMs =
    answer.status === 429 || answer.status === 503 ? parseRetryAfter(answer.retryAfter, nowMs) : undefined;
  const said = details !== undefined && details.message !== "" ? `, Message=${details.message}, Details=[]` : "";
  return new ConsumeError(
    `error exporting items, request to ${url} responded with HTTP Status Code ${answer.status}${said}`,
    {
      retryable: retryableHttp.has(answer.status),
      grpcStatus: rpcCodeOfHttp(answer.status),
      ...(delayMs !== undefined && { delayMs }),
    },
  );
}
