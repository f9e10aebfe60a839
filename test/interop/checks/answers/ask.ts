import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { buffer } from "node:stream/consumers";

/** One request over HTTP/1.1 or, with gRPC's framing made by hand, over HTTP/2. */
export interface Question {
  readonly name: string;
  readonly protocol: "http" | "grpc";
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** For gRPC the frames: `frame(message)`. */
  readonly body?: Uint8Array;
  /** Cuts the connection after the body instead of ending the request. */
  readonly cut?: true;
}

/** What a client sees, as far as it may depend on it: a few words each. */
export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  readonly contentType: string;
  /** `grpc-status`, or over HTTP the `code` of a `google.rpc.Status`; absent for neither. */
  readonly code?: number;
  /** The text for a person: shown, not compared. */
  readonly message: string;
  /** The body of a success, in hexadecimal or as JSON. */
  readonly body?: string;
  /** The other headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** The `details` of the status, in hexadecimal. */
  readonly details?: string;
}

/** Headers that say nothing about the answer, or are compared by themselves. */
const notCompared = ["date", "connection", "keep-alive", "content-length", "transfer-encoding", "content-type"];

function otherHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => /^[a-z]/.test(name) && !notCompared.includes(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** A gRPC message behind its five bytes. */
export function frame(message: Uint8Array, { compressed = false, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed ? 1 : 0, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** Asks and waits for the whole answer. */
export async function ask(ports: { httpPort: number; grpcPort: number }, question: Question): Promise<Answer> {
  return question.protocol === "http"
    ? await askHttp(ports.httpPort, question)
    : await askGrpc(ports.grpcPort, question);
}

async function askHttp(port: number, { method = "POST", path, headers = {}, body, cut }: Question): Promise<Answer> {
  const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, timeout: 30_000, agent: false });
  request.on("timeout", () => request.destroy(new Error("no answer within 30 s")));
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  if (cut === true) request.write(body ?? "", () => request.destroy());
  else request.end(body);
  const [response] = await answered;
  const bytes = await buffer(response);
  const contentType = response.headers["content-type"] ?? "";
  const status = response.statusCode ?? 0;
  return { status, contentType, headers: otherHeaders(response.headers), ...bodyOf(status, contentType, bytes) };
}

function bodyOf(status: number, contentType: string, bytes: Buffer): Pick<Answer, "code" | "message" | "body"> {
  if (contentType === "application/json") {
    const value = JSON.parse(bytes.toString() || "{}") as { code?: number; message?: string };
    if (status === 200) return { message: "", body: JSON.stringify(value) };
    return { message: value.message ?? "", ...(value.code === undefined ? {} : { code: value.code }) };
  }
  if (contentType !== "application/x-protobuf") return { message: bytes.toString().trim() };
  if (status === 200) return { message: "", body: bytes.toString("hex") };
  // google.rpc.Status: `code` is field 1, `message` field 2, both short here.
  if (bytes[0] !== 0x08) return { message: bytes.toString("hex") };
  const message = bytes[2] === 0x12 ? bytes.subarray(bytes[3]! < 128 ? 4 : 5).toString() : "";
  return { code: bytes[1] ?? 0, message };
}

async function askGrpc(port: number, { method = "POST", path, headers = {}, body }: Question): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    const stream = session.request({
      ":method": method,
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.setTimeout(30_000, () => stream.close());
    let response: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (received) => (response = received));
    stream.on("trailers", (received) => (trailers = received));
    stream.end(body);
    const message = await buffer(stream);
    const status = trailers["grpc-status"] ?? response["grpc-status"];
    const text = trailers["grpc-message"] ?? response["grpc-message"] ?? "";
    const details = trailers["grpc-status-details-bin"] ?? response["grpc-status-details-bin"];
    return {
      status: Number(response[":status"]),
      contentType: String(response["content-type"] ?? ""),
      message: decodeURIComponent(String(text)),
      headers: {},
      ...(details === undefined ? {} : { details: detailsOf(Buffer.from(String(details), "base64")) }),
      ...(status === undefined ? {} : { code: Number(status) }),
      ...(Number(status) === 0 ? { body: message.toString("hex") } : {}),
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { status: 0, contentType: "", headers: {}, message: `stream error ${code ?? ""} ${message}` };
  } finally {
    session.close();
  }
}

/** What follows code and message in a `google.rpc.Status`, all of them short here. */
function detailsOf(status: Buffer): string {
  const afterCode = status[0] === 0x08 ? 2 : 0;
  const afterMessage = status[afterCode] === 0x12 ? afterCode + 2 + (status[afterCode + 1] ?? 0) : afterCode;
  return status.subarray(afterMessage).toString("hex");
}
