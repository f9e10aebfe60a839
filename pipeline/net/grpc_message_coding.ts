import { type Client, experimental, type Metadata } from "@grpc/grpc-js";
import { messageOf } from "../error_text.ts";
import type { EncodedBody } from "../pdata/index.ts";
import { acceptedOverGrpc, compress, decompress, type Encoding, grpcEncodingOf } from "./compression.ts";
import { codedAs } from "./passable.ts";
import { rpcCode } from "./status.ts";

type Filter = InstanceType<typeof experimental.BaseFilter>;
type Sent = Awaited<Parameters<Filter["sendMessage"]>[0]>;

/** How messages are compressed. */
export interface MessageCoding {
  /** As in `grpc-encoding`. */
  readonly name: string;
  readonly maxAnswerBytes: number;
}

/** In what form messages came: the library has no way to hand that to a filter. */
const received = new WeakMap<Buffer, EncodedBody>();

/** Has `message` sent as it came where the client's coding is that one. */
export function sendAsReceived(message: Buffer, encoded: EncodedBody): void {
  received.set(message, encoded);
}

/**
 * Codes and frames the messages of one call. It takes the place of the library's own filter, which knows gzip alone, and
 * sends even the smallest message through the thread pool.
 */
class MessageFilter extends experimental.BaseFilter {
  readonly #coding: MessageCoding;
  readonly #encoding: Encoding;
  #answered = "identity";

  constructor(coding: MessageCoding) {
    super();
    this.#coding = coding;
    this.#encoding = grpcEncodingOf(coding.name) ?? "identity";
  }

  override async sendMetadata(metadata: Promise<Metadata>): Promise<Metadata> {
    const headers = await metadata;
    headers.set("grpc-accept-encoding", acceptedOverGrpc);
    if (this.#encoding !== "identity") headers.set("grpc-encoding", this.#coding.name);
    return headers;
  }

  override receiveMetadata(metadata: Metadata): Metadata {
    this.#answered = String(metadata.get("grpc-encoding")[0] ?? "identity");
    metadata.remove("grpc-encoding");
    metadata.remove("grpc-accept-encoding");
    return metadata;
  }

  override async sendMessage(message: Promise<Sent>): Promise<Sent> {
    const { message: body, ...rest } = await message;
    const coded = codedAs(this.#encoding, received.get(body)) ?? (await compress(this.#encoding, 0, body));
    const framed = Buffer.allocUnsafe(5 + coded.length);
    framed.writeUInt8(this.#encoding === "identity" ? 0 : 1, 0);
    framed.writeUInt32BE(coded.length, 1);
    coded.copy(framed, 5);
    return { ...rest, message: framed };
  }

  override async receiveMessage(message: Promise<Buffer>): Promise<Buffer> {
    const framed = await message;
    const body = framed.subarray(5);
    if (framed[0] !== 1) return body;
    const encoding = grpcEncodingOf(this.#answered);
    if (encoding === undefined || encoding === "identity") throw internal(`an answer in ${this.#answered}`);
    try {
      return await decompress(encoding, body, { maxBytes: this.#coding.maxAnswerBytes, reserve: () => true });
    } catch (error) {
      throw internal(messageOf(error));
    }
  }
}

function internal(problem: string) {
  return { code: rpcCode.internal, details: `cannot read the answer: ${problem}` };
}

/** Has the messages of a client's calls coded by us. @throws {Error} when the library does not show where it does that. */
export function codeMessages(client: Client, coding: MessageCoding): void {
  const channel = client.getChannel() as unknown as {
    internalChannel?: { filterStackFactory?: { factories?: object[] } };
  };
  const factories = channel.internalChannel?.filterStackFactory?.factories;
  if (factories?.length !== 1) throw new Error("this version of @grpc/grpc-js does not show how it codes messages");
  factories[0] = { createFilter: () => new MessageFilter(coding) };
}
