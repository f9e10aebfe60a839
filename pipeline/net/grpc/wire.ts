import { acceptedOverGrpc } from "../compression.ts";
import { Flag, FrameType, frame, frameHeadBytes, streamIdPlace } from "../http2/frames.ts";
import { indexedField, literalField, namedField } from "../http2/hpack.ts";
import { staticIndex } from "../http2/static_table.ts";
import { encodeStatus, type RpcStatus, rpcCode } from "../status.ts";

/** How gRPC's messages and statuses look on HTTP/2. @see gRPC over HTTP2, PROTOCOL-HTTP2.md. */

/** Whether it is compressed, and four bytes of length. */
export const prefixBytes = 5;

export function messagePrefix(length: number, isCompressed: boolean): Buffer {
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

const ok = indexedField(staticIndex.status200);
const contentType = namedField(staticIndex.contentType, "application/grpc+proto");

/** The head of an answer that has a message. */
export const answerHead = Buffer.concat([ok, contentType, literalField("grpc-accept-encoding", acceptedOverGrpc)]);

export const okTrailers = literalField("grpc-status", "0");

const emptyMessage = messagePrefix(0, false);

/** The whole answer OK with an empty message; a stream's number goes to `idPlaces`. */
export const okAnswer = Buffer.concat([
  frame(FrameType.headers, Flag.endHeaders, 0, answerHead),
  frame(FrameType.data, 0, 0, emptyMessage),
  frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 0, okTrailers),
]);
const dataPlace = frameHeadBytes + answerHead.length;
const trailersPlace = dataPlace + frameHeadBytes + emptyMessage.length;
export const okAnswerIdPlaces = [0, dataPlace, trailersPlace].map((place) => place + streamIdPlace);

/** An answer that is a status alone. */
export function trailersOnly(status: RpcStatus): Buffer {
  const fields = [
    ok,
    contentType,
    literalField("grpc-status", String(status.code)),
    literalField("grpc-message", percentEncoded(status.message)),
  ];
  if (status.retryDelayMs !== undefined) {
    fields.push(literalField("grpc-status-details-bin", encodeStatus(status).toString("base64").replace(/=+$/, "")));
  }
  return Buffer.concat(fields);
}

/** An answer of HTTP, to what is no gRPC. */
export function httpStatusOnly(status: number): Buffer {
  return namedField(staticIndex.status200, String(status));
}

/** A status message as `grpc-message` has it. */
function percentEncoded(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let text = "";
  for (const byte of Buffer.from(message)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** The message that a `grpc-message` means; what is no coding stays as it is. */
export function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const unitMs: ReadonlyMap<string | undefined, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/** Milliseconds of a `grpc-timeout`; NaN when it is none. */
export function parseTimeout(text: string): number {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return Number(digits) * (unitMs.get(unit) ?? Number.NaN);
}

/** A `grpc-timeout` of eight digits at most. */
export function formatTimeout(milliseconds: number): string {
  const rounded = Math.max(1, Math.ceil(milliseconds));
  return rounded < 1e8 ? `${rounded}m` : `${Math.ceil(rounded / 1000)}S`;
}

export function unknownMethod(path: string, services: ReadonlySet<string>): RpcStatus {
  const [, service = "", method = ""] = path.split("/");
  const message = services.has(service)
    ? `unknown method ${method} for service ${service}`
    : path.startsWith("/") && path.lastIndexOf("/") > 0
      ? `unknown service ${service}`
      : `malformed method name: ${JSON.stringify(path)}`;
  return { code: rpcCode.unimplemented, message };
}

/** The status for a message whose compression we do not read, as gRPC defines it. */
export function compressionStatus(encoding: string): RpcStatus {
  return encoding === "identity"
    ? { code: rpcCode.internal, message: "compressed flag set with identity or empty encoding" }
    : { code: rpcCode.unimplemented, message: `Decompressor is not installed for grpc-encoding "${encoding}"` };
}
