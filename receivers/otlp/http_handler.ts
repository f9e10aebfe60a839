import type { ReceiverHost } from "../../pipeline/host.ts";
import { httpPath } from "../../pipeline/net/otlp_paths.ts";
import {
  encodeStatus,
  httpStatusOf,
  type RpcStatus,
  retryAfterOf,
  rpcCode,
  statusToJson,
} from "../../pipeline/net/status.ts";
import type {
  HttpAnswer,
  Problem,
  RequestHandler,
  RequestHead,
  TransportRequest,
} from "../../pipeline/net/transport.ts";
import { type Signal, signals } from "../../pipeline/pdata/index.ts";
import { deliver, problemStatus } from "./deliver.ts";
import type { OtlpHttpSettings } from "./settings.ts";

const json = "application/json";
const protobuf = "application/x-protobuf";

/** An Export…ServiceResponse with an empty partial success, as the Collector answers. */
const accepted: Record<string, HttpAnswer> = {
  [json]: { status: 200, headers: { "content-type": json }, body: Buffer.from('{"partialSuccess":{}}') },
  [protobuf]: { status: 200, headers: { "content-type": protobuf }, body: Buffer.from([0x0a, 0x00]) },
};

/** Answers OTLP requests over HTTP as the Collector does. */
export class HttpHandler implements RequestHandler<HttpAnswer> {
  readonly #host: ReceiverHost;
  readonly #signalByPath: ReadonlyMap<string, Signal>;

  constructor(settings: OtlpHttpSettings, host: ReceiverHost) {
    this.#host = host;
    const paths: Record<Signal, string> = {
      traces: settings.traces_url_path,
      metrics: settings.metrics_url_path,
      logs: settings.logs_url_path,
      profiles: httpPath("profiles"),
    };
    const used = signals.filter((signal) => host.outlets[signal] !== undefined);
    this.#signalByPath = new Map(used.map((signal) => [paths[signal], signal]));
  }

  judge(head: RequestHead): HttpAnswer | undefined {
    if (!this.#signalByPath.has(head.path)) return this.#elsewhere(head.path);
    if (head.method !== "POST") return plain(405, "405 method not allowed, supported: [POST]");
    if (contentTypeOf(head) === undefined) {
      return plain(415, `415 unsupported media type, supported: [${json}, ${protobuf}]`);
    }
    return undefined;
  }

  /** An endpoint that ends in a slash gives `//v1/traces`: its sender is told where to go, as Go's server does. */
  #elsewhere(path: string): HttpAnswer {
    const location = path.replace(/\/{2,}/g, "/");
    if (location !== path && this.#signalByPath.has(location)) return { status: 307, headers: { location }, body: "" };
    return { status: 404, headers: { "content-type": "text/plain; charset=utf-8" }, body: "404 page not found\n" };
  }

  reject(head: RequestHead, problem: Problem): HttpAnswer {
    const signal = this.#signalByPath.get(head.path);
    if (signal !== undefined) this.#host.malformed(signal, "http", problem.kind);
    const type = (head.header("content-type") ?? "") === "" ? json : contentTypeOf(head);
    if (type !== undefined) return refusal(problemStatus(problem, rpcCode.invalidArgument), type);
    const body = '{"code": 13, "message": "failed to marshal error message"}';
    return { status: 500, headers: { "content-type": json }, body };
  }

  handle(request: TransportRequest, answer: (answer: HttpAnswer) => void): void {
    const type = contentTypeOf(request) ?? protobuf;
    const signal = this.#signalByPath.get(request.path);
    if (signal === undefined) {
      answer(this.#elsewhere(request.path));
      return;
    }
    const encoding = type === json ? "json" : "protobuf";
    deliver(this.#host, signal, request, encoding, (status) =>
      answer(status === undefined ? (accepted[type] as HttpAnswer) : refusal(status, type)),
    );
  }
}

/** The request's content type without parameters, when it is one of the two. */
function contentTypeOf(head: RequestHead): typeof json | typeof protobuf | undefined {
  const type = (head.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  return type === json || type === protobuf ? type : undefined;
}

function plain(status: number, body: string): HttpAnswer {
  return { status, headers: { "content-type": "text/plain" }, body };
}

function refusal(status: RpcStatus, type: typeof json | typeof protobuf): HttpAnswer {
  const httpStatus = httpStatusOf(status.code);
  const retryAfter = retryAfterOf(status, httpStatus);
  return {
    status: httpStatus,
    headers: { "content-type": type, ...(retryAfter !== undefined && { "retry-after": retryAfter }) },
    body: type === json ? statusToJson(status) : encodeStatus(status),
  };
}
