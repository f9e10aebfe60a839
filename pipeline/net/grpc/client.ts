import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { messageOf } from "../../error_text.ts";
import { type ClientAuthenticator, sendAuthorized } from "../auth.ts";
import type { GrpcClientSettings } from "../client_settings.ts";
import { acceptedOverGrpc, compress, type Encoding, grpcEncodingOf } from "../compression.ts";
import { parseGrpcEndpoint } from "../grpc_endpoint.ts";
import { indexedField, literalField, namedField } from "../http2/hpack.ts";
import { staticIndex } from "../http2/static_table.ts";
import { formatHostPort, parseHostPort } from "../listener.ts";
import { lowerCased } from "../outgoing_headers.ts";
import { codedAs } from "../passable.ts";
import { watchRpcClient } from "../request_watch.ts";
import { rpcCode } from "../status.ts";
import { ClientIdentity, wantsTls } from "../tls.ts";
import type { ClientSurroundings, RpcClient, RpcReply, RpcSendOptions } from "../transport.ts";
import { ClientCall } from "./client_call.ts";
import type { Address, Dialling } from "./client_connection.ts";
import { Deadlines } from "./deadlines.ts";
import { Pool } from "./pool.ts";
import { formatTimeout, messagePrefix } from "./wire.ts";

type Headers = Readonly<Record<string, string>>;

interface LastBlock {
  readonly path: string;
  readonly headers: Headers;
  readonly timeoutMs: number | undefined;
  readonly block: Buffer;
}

/** Unary gRPC on HTTP/2 of our own, with messages as raw bytes. Connects when it is made. */
export class GrpcClient implements RpcClient {
  readonly #makePool: (context: SecureContext | undefined) => Pool;
  readonly #identity: ClientIdentity | undefined;
  readonly #headers: Headers;
  /** What all header blocks have before the path, and behind it. */
  readonly #pseudoFields: Buffer;
  readonly #fixedFields: Buffer;
  readonly #authenticator: ClientAuthenticator | undefined;
  readonly #surroundings: ClientSurroundings;
  readonly #endpoint: string;
  readonly #encoding: Encoding;
  readonly #deadlines: Deadlines<ClientCall>;
  #lastBlock: LastBlock | undefined;
  #context: SecureContext | undefined;
  #pool: Pool;
  /** Those made with another certificate, where calls may still be answered. */
  #former: readonly Pool[] = [];

  /** @throws {Error} when a file of the `tls` block cannot be read or the endpoint is none. */
  constructor(settings: GrpcClientSettings, surroundings: ClientSurroundings) {
    const { target, secure } = parseGrpcEndpoint(settings.endpoint);
    const isTls = secure || wantsTls(settings.tls);
    if (!isTls && surroundings.authenticator?.needsTls === true) {
      throw new Error("the authenticator's credentials need TLS: set tls without insecure");
    }
    const { clock } = surroundings;
    const address = addressOf(target);
    const authority = settings.authority || settings.tls.server_name_override || authorityOf(address);
    this.#surroundings = surroundings;
    this.#endpoint = settings.endpoint.replace(/^[a-z]+:\/\/\/?/i, "");
    this.#encoding = grpcEncodingOf(settings.compression) ?? "identity";
    this.#headers = lowerCased(settings.headers);
    this.#authenticator = surroundings.authenticator;
    this.#deadlines = new Deadlines(clock);
    this.#identity = isTls ? new ClientIdentity(settings.tls, surroundings) : undefined;
    this.#pseudoFields = Buffer.concat([
      indexedField(staticIndex.methodPost),
      indexedField(isTls ? staticIndex.schemeHttps : staticIndex.schemeHttp),
      namedField(staticIndex.authority, authority),
    ]);
    this.#fixedFields = Buffer.concat([
      namedField(staticIndex.contentType, "application/grpc"),
      namedField(staticIndex.userAgent, settings.user_agent || surroundings.userAgent),
      literalField("te", "trailers"),
      literalField("grpc-accept-encoding", acceptedOverGrpc),
      ...(this.#encoding === "identity" ? [] : [literalField("grpc-encoding", settings.compression)]),
    ]);
    const dialling = {
      clock,
      serverName: settings.tls.server_name_override || serverNameOf(address),
      verify: !settings.tls.insecure_skip_verify,
      keepalive: keepaliveOf(settings.keepalive),
    };
    this.#makePool = (context) => {
      const isRoundRobin = settings.balancer_name === "round_robin";
      const waitForReady = settings.wait_for_ready;
      const pool = new Pool({ ...dialling, context, target: address, isRoundRobin, waitForReady });
      pool.connect();
      return pool;
    };
    this.#context = this.#identity?.context;
    this.#pool = this.#makePool(this.#context);
  }

  async send(path: string, body: Buffer, options: RpcSendOptions): Promise<RpcReply> {
    const watched = watchRpcClient(this.#surroundings, options.client, path, this.#endpoint);
    if (watched === undefined) return this.#send(path, body, options, noHeaders);
    const reply = await this.#send(path, body, options, watched.span?.headers() ?? noHeaders);
    watched.end(reply.status);
    return reply;
  }

  /** `added` are headers besides those of the settings. */
  async #send(path: string, body: Buffer, options: RpcSendOptions, added: Headers): Promise<RpcReply> {
    const headers = added === noHeaders ? this.#headers : { ...this.#headers, ...added };
    if (this.#authenticator === undefined) return this.#call(path, body, headers, options);
    const { client } = options;
    const request = { transport: "grpc", target: path, headers, body, ...(client && { client }) } as const;
    try {
      return await sendAuthorized(
        this.#authenticator,
        request,
        (authorized) => this.#call(path, body, authorized, options),
        ({ status }) => status?.code === rpcCode.unauthenticated,
      );
    } catch (error) {
      return { status: { code: rpcCode.unavailable, message: messageOf(error) }, body: Buffer.alloc(0) };
    }
  }

  async #call(path: string, body: Buffer, headers: Headers, options: RpcSendOptions): Promise<RpcReply> {
    const { timeoutMs, signal } = options;
    const dueMs = timeoutMs ? this.#surroundings.clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY;
    const packed = codedAs(this.#encoding, options.encoded) ?? compress(this.#encoding, 0, body);
    const message = Buffer.isBuffer(packed) ? packed : await packed;
    const block = this.#blockFor(path, headers, timeoutMs);
    const parts = [messagePrefix(message.length, this.#encoding !== "identity"), message];
    this.#renewPool();
    return new Promise((resolve) => {
      const cancel = () => call.abort();
      const owner = {
        repeat: () => this.#pool.send(call),
        done: () => {
          this.#deadlines.delete(call);
          this.#pool.forget(call);
          signal?.removeEventListener("abort", cancel);
        },
      };
      const call = new ClientCall(block, parts, dueMs, owner, resolve);
      if (signal?.aborted === true) {
        call.abort();
        return;
      }
      signal?.addEventListener("abort", cancel);
      if (dueMs < Number.POSITIVE_INFINITY) this.#deadlines.add(call);
      this.#pool.send(call);
    });
  }

  /** The header block of a call; that of the one before where it is the same. */
  #blockFor(path: string, headers: Headers, timeoutMs: number | undefined): Buffer {
    const last = this.#lastBlock;
    if (last?.path === path && last.headers === headers && last.timeoutMs === timeoutMs) return last.block;
    const fields = [this.#pseudoFields, namedField(staticIndex.path, path), this.#fixedFields];
    if (timeoutMs) fields.push(literalField("grpc-timeout", formatTimeout(timeoutMs)));
    for (const [name, value] of Object.entries(headers)) fields.push(literalField(name, value));
    const block = Buffer.concat(fields);
    this.#lastBlock = { path, headers, timeoutMs, block };
    return block;
  }

  /** Makes other connections once the certificate has changed; calls under way stay on theirs. */
  #renewPool(): void {
    const context = this.#identity?.context;
    if (context === this.#context) return;
    this.#context = context;
    const former = this.#pool;
    this.#pool = this.#makePool(context);
    this.#former = [...this.#former.filter((pool) => !pool.isEmpty), former];
    for (const call of former.retire()) this.#pool.send(call);
  }

  close(): void {
    for (const pool of [this.#pool, ...this.#former]) pool.close();
    this.#deadlines.stop();
  }
}

const noHeaders: Headers = {};

/** Where a target as `parseGrpcEndpoint` gives it lies. */
function addressOf(target: string): Address {
  if (target.startsWith("unix:")) return { path: target.slice("unix:".length) };
  const { host, port } = parseHostPort(target.replace(/^dns:/, ""));
  return { host: host || "localhost", port };
}

function authorityOf(address: Address): string {
  return "path" in address ? "localhost" : formatHostPort(address.host, address.port);
}

/** The name that a server is known by, whichever of its addresses is dialled. */
function serverNameOf(address: Address): string | undefined {
  return "path" in address || isIP(address.host) > 0 ? undefined : address.host;
}

const standardPingMs = 10_000;
const standardPingTimeoutMs = 20_000;

function keepaliveOf(keepalive: GrpcClientSettings["keepalive"]): Dialling["keepalive"] {
  if (keepalive === undefined) return undefined;
  const { time, timeout, permit_without_stream: withoutCalls } = keepalive;
  return { timeMs: time || standardPingMs, timeoutMs: timeout || standardPingTimeoutMs, withoutCalls };
}
