import type { ReceiverHost } from "../../pipeline/host.ts";
import { httpPath } from "../../pipeline/net/otlp_paths.ts";
import type {
  HttpAnswer,
  Problem,
  RequestHandler,
  RequestHead,
  TransportRequest,
} from "../../pipeline/net/transport.ts";
import { type Signal, signals } from "../../pipeline/pdata/index.ts";
import { deliver } from "./deliver.ts";
import { type ContentType, type HttpAnswers, httpAnswers, json, protobuf, refusal } from "./http_answers.ts";
import type { OtlpHttpSettings } from "./settings.ts";

/** Answers OTLP requests over HTTP as the Collector does, or as the specification says. */
export class HttpHandler implements RequestHandler<HttpAnswer> {
  readonly #host: ReceiverHost;
  readonly #answers: HttpAnswers;
  readonly #jsonEncoding: "json" | "strict_json";
  readonly #paths: Readonly<Record<Signal, string>>;

  constructor(settings: OtlpHttpSettings, host: ReceiverHost) {
    this.#host = host;
    this.#answers = httpAnswers[settings.conformance];
    this.#jsonEncoding = settings.conformance === "specification" ? "strict_json" : "json";
    this.#paths = {
      traces: settings.traces_url_path,
      metrics: settings.metrics_url_path,
      logs: settings.logs_url_path,
      profiles: httpPath("profiles"),
    };
  }

  /** Whose path it is; undefined when no pipeline takes that signal now. */
  #signalAt(path: string): Signal | undefined {
    return signals.findLast((signal) => this.#paths[signal] === path && this.#host.outlets[signal] !== undefined);
  }

  judge(head: RequestHead): HttpAnswer | undefined {
    if (this.#signalAt(head.path) === undefined) return this.#elsewhere(head);
    const type = contentTypeOf(head);
    if (head.method !== "POST") return this.#answers.wrongMethod(type);
    return type === undefined ? this.#answers.wrongType : undefined;
  }

  /** An endpoint that ends in a slash gives `//v1/traces`: its sender is told where to go, as Go's server does. */
  #elsewhere(head: RequestHead): HttpAnswer {
    const { path } = head;
    const location = path.replace(/\/{2,}/g, "/");
    if (location !== path && this.#signalAt(location) !== undefined)
      return { status: 307, headers: { location }, body: "" };
    return this.#answers.wrongPath(contentTypeOf(head));
  }

  reject(head: RequestHead, problem: Problem): HttpAnswer {
    const signal = this.#signalAt(head.path);
    if (signal !== undefined) this.#host.malformed(signal, "http", problem.kind);
    const type = (head.header("content-type") ?? "") === "" ? json : contentTypeOf(head);
    return this.#answers.unread(problem, type);
  }

  handle(request: TransportRequest, answer: (answer: HttpAnswer) => void): void {
    const type = contentTypeOf(request) ?? protobuf;
    const signal = this.#signalAt(request.path);
    if (signal === undefined) {
      answer(this.#elsewhere(request));
      return;
    }
    const encoding = type === json ? this.#jsonEncoding : "protobuf";
    deliver(this.#host, signal, request, encoding, (status) =>
      answer(status === undefined ? this.#answers.accepted[type] : refusal(status, type)),
    );
  }
}

/** The request's content type without parameters, when it is one of the two. */
function contentTypeOf(head: RequestHead): ContentType | undefined {
  const type = (head.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  return type === json || type === protobuf ? type : undefined;
}
