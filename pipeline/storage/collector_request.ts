import type { ClientInfo } from "../delivery.ts";
import { readFields } from "../net/protobuf.ts";
import { type Pdata, receive, type Signal } from "../pdata/index.ts";

/** The first byte and the version of a request with its context; older versions of the Collector store the OTLP message alone. */
const wrapperTag = 0x0d;
const wrapperVersion = 1;

/** A request as the Collector's queue stores it. */
export interface StoredRequest {
  readonly data: Pdata;
  /** Who sent it, when metadata of that was kept. */
  readonly client?: ClientInfo;
}

/**
 * Reads a value of the Collector's queue.
 *
 * @throws {RangeError | WireError} when it is no such message.
 * @see the Collector's `pdata/xpdata/request/internal/request.proto`
 */
export function readStoredRequest(signal: Signal, value: Buffer): StoredRequest {
  if (value[0] !== wrapperTag) return { data: receive(signal, value) };
  if (value.length < 5 || value.readUInt32LE(1) !== wrapperVersion) throw new RangeError("another version");
  let otlp: Buffer = Buffer.alloc(0);
  const metadata = new Map<string, readonly string[]>();
  readFields(value, (field, content) => {
    if (typeof content === "number") return;
    if (field === 3) otlp = content;
    if (field === 2) readContext(content, metadata);
  });
  const client: ClientInfo = { address: "", transport: "internal", metadata };
  return { data: receive(signal, otlp), ...(metadata.size > 0 && { client }) };
}

/** The index of the request that the Collector would have sent next; 0 when that cannot be read. */
export function nextIndexOf(metadata: Buffer): number {
  let next = 0;
  try {
    readFields(metadata, (field, content) => {
      if (field === 3 && typeof content === "number") next = content;
    });
    return next;
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

function readContext(context: Buffer, metadata: Map<string, readonly string[]>): void {
  readFields(context, (field, content) => {
    if (field === 2 && typeof content !== "number") readMetadata(content, metadata);
  });
}

/** A `KeyValue` whose value is a string or a list of strings. */
function readMetadata(keyValue: Buffer, metadata: Map<string, readonly string[]>): void {
  let key = "";
  const values: string[] = [];
  const readValue = (field: number, content: number | Buffer): void => {
    if (typeof content === "number") return;
    if (field === 1) values.push(content.toString("utf8"));
    if (field === 5) readFields(content, (_, each) => typeof each !== "number" && readFields(each, readValue));
  };
  readFields(keyValue, (field, content) => {
    if (typeof content === "number") return;
    if (field === 1) key = content.toString("utf8");
    if (field === 2) readFields(content, readValue);
  });
  metadata.set(key.toLowerCase(), values);
}
