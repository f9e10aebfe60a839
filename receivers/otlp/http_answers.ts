import {
  encodeStatus,
  httpStatusOf,
  type RpcStatus,
  retryAfterOf,
  rpcCode,
  statusToJson,
} from "../../pipeline/net/status.ts";
import type { HttpAnswer, Problem } from "../../pipeline/net/transport.ts";
import { problemStatus } from "./deliver.ts";

export const json = "application/json";
export const protobuf = "application/x-protobuf";

export type ContentType = typeof json | typeof protobuf;

/** Whose word counts where the Collector and the OTLP specification disagree. */
export type Conformance = "collector" | "specification";

/** How requests over HTTP are answered, where there are two opinions. */
export interface HttpAnswers {
  /** All was taken. */
  readonly accepted: Readonly<Record<ContentType, HttpAnswer>>;
  readonly wrongPath: (type: ContentType | undefined) => HttpAnswer;
  readonly wrongMethod: (type: ContentType | undefined) => HttpAnswer;
  readonly wrongType: HttpAnswer;
  /** The body could not be had. `type` is undefined for a type that is neither of the two. */
  readonly unread: (problem: Problem, type: ContentType | undefined) => HttpAnswer;
}

/** A refusal in the encoding of the request. */
export function refusal(status: RpcStatus, type: ContentType, httpStatus = httpStatusOf(status.code)): HttpAnswer {
  const retryAfter = retryAfterOf(status, httpStatus);
  return {
    status: httpStatus,
    headers: { "content-type": type, ...(retryAfter !== undefined && { "retry-after": retryAfter }) },
    body: type === json ? statusToJson(status) : encodeStatus(status),
  };
}

const methodText = "405 method not allowed, supported: [POST]";
const typeText = `415 unsupported media type, supported: [${json}, ${protobuf}]`;

function success(asJson: string, asProtobuf: Buffer): Record<ContentType, HttpAnswer> {
  return {
    [json]: { status: 200, headers: { "content-type": json }, body: asJson },
    [protobuf]: { status: 200, headers: { "content-type": protobuf }, body: asProtobuf },
  };
}

function plain(status: number, body: string, type = "text/plain"): HttpAnswer {
  return { status, headers: { "content-type": type }, body };
}

/** As Go's own handler of paths that nobody serves. */
const notFound: HttpAnswer = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  body: "404 page not found\n",
};

/** As the Collector: an empty partial success, plain text where no handler of OTLP was reached, 400 for what is too large. */
const collector: HttpAnswers = {
  accepted: success('{"partialSuccess":{}}', Buffer.from([0x0a, 0x00])),
  wrongPath: () => notFound,
  wrongMethod: () => plain(405, methodText),
  wrongType: plain(415, typeText),
  unread: (problem, type) =>
    type === undefined
      ? plain(500, '{"code": 13, "message": "failed to marshal error message"}', json)
      : refusal(problemStatus(problem, rpcCode.invalidArgument), type),
};

/** As the specification: partial success unset, a Status in every refusal (as JSON where the request's type is none), 413. */
const specification: HttpAnswers = {
  accepted: success("{}", Buffer.alloc(0)),
  wrongPath: (type = json) => refusal({ code: rpcCode.unimplemented, message: "404 page not found" }, type),
  wrongMethod: (type = json) => refusal({ code: rpcCode.unimplemented, message: methodText }, type, 405),
  wrongType: refusal({ code: rpcCode.invalidArgument, message: typeText }, json, 415),
  unread: (problem, type = json) => {
    const status = problemStatus(problem, rpcCode.resourceExhausted);
    return refusal(status, type, problem.kind === "too_large" ? 413 : undefined);
  },
};

export const httpAnswers: Readonly<Record<Conformance, HttpAnswers>> = { collector, specification };
