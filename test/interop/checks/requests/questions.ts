import { type Answer, frame, type Question } from "../answers/ask.ts";
import { goodTraces, json } from "../answers/bodies.ts";

/** Which receiver of the configuration is asked. */
export type Door = "open" | "basic" | "bearer" | "cors" | "overloaded";

/** A question, and what it is about. */
export interface Asked extends Question {
  readonly door: Door;
}

const protobuf = { "content-type": "application/x-protobuf" };
const grpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

function http(door: Door, name: string, headers: Question["headers"] = {}, rest: Partial<Question> = {}): Asked {
  const body = goodTraces();
  return {
    door,
    name: `${door}, HTTP: ${name}`,
    protocol: "http",
    path: "/v1/traces",
    body,
    ...rest,
    headers: { ...protobuf, ...headers },
  };
}

function grpc(door: Door, name: string, headers: Question["headers"] = {}): Asked {
  const body = frame(goodTraces());
  return { door, name: `${door}, gRPC: ${name}`, protocol: "grpc", path: grpcPath, body, headers };
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

/** `Authorization` as a client may write it. */
const credentials: readonly (readonly [name: string, authorization: string | undefined])[] = [
  ["none", undefined],
  ["empty", ""],
  ["Basic, right", basic("user:secret")],
  ["Basic in lower case, right", basic("user:secret").replace("Basic", "basic")],
  ["Basic, wrong password", basic("user:wrong")],
  ["Basic, unknown user", basic("nobody:secret")],
  ["Basic, without a colon", basic("user")],
  ["Basic, no base64", "Basic ???"],
  ["Basic, nothing behind", "Basic "],
  ["Bearer, right", "Bearer t0ken"],
  ["Bearer in lower case, right", "bearer t0ken"],
  ["Bearer, wrong", "Bearer other"],
  ["Bearer, nothing behind", "Bearer "],
  ["the token alone", "t0ken"],
];

const json415 = { "content-type": "text/plain" };
const preflight = { method: "OPTIONS", body: new Uint8Array() };
const asks = (origin: string, method = "POST") => ({ origin, "access-control-request-method": method });

/** Requests that are let in or not, and the headers of answers. */
export const requestQuestions: readonly Asked[] = [
  ...(["basic", "bearer"] as const).flatMap((door) =>
    credentials.flatMap(([name, authorization]) => {
      const headers = authorization === undefined ? {} : { authorization };
      return [http(door, name, headers), grpc(door, name, headers)];
    }),
  ),
  http("basic", "none, JSON", { "content-type": "application/json" }, { body: json({}) }),
  http("basic", "none, another content type", json415),
  http("basic", "none, another path", {}, { path: "/v1/other" }),
  http("basic", "none, GET", {}, { method: "GET" }),
  http("overloaded", "protobuf"),
  http("overloaded", "JSON", { "content-type": "application/json" }, { body: json({}) }),
  http("overloaded", "nothing in it", {}, { body: new Uint8Array() }),
  grpc("overloaded", "protobuf"),
  http("open", "headers of a success"),
  http("open", "headers of a success, JSON", { "content-type": "application/json" }, { body: json({}) }),
  http("open", "headers of a success, gzip accepted", { "accept-encoding": "gzip" }),
  http("open", "headers of 400", {}, { body: Buffer.from([0x0a, 0x05, 0x01]) }),
  http("open", "headers of 404", {}, { path: "/v1/other" }),
  http("open", "headers of 405", {}, { method: "GET" }),
  http("open", "headers of 415", json415),
  http("open", "headers of 400, unknown coding", { "content-encoding": "rot13" }),
  http("open", "an origin where there is no CORS", { origin: "https://page.test" }),
  http("cors", "preflight of an allowed origin", asks("https://page.test"), preflight),
  http("cors", "preflight of an allowed pattern", asks("https://a.pages.test"), preflight),
  http("cors", "preflight of another origin", asks("https://other.test"), preflight),
  http("cors", "preflight for GET", asks("https://page.test", "GET"), preflight),
  http(
    "cors",
    "preflight for an allowed header",
    { ...asks("https://page.test"), "access-control-request-headers": "x-app" },
    preflight,
  ),
  http(
    "cors",
    "preflight for another header",
    { ...asks("https://page.test"), "access-control-request-headers": "x-other" },
    preflight,
  ),
  http("cors", "a request of an allowed origin", { origin: "https://page.test" }),
  http("cors", "a request of another origin", { origin: "https://other.test" }),
  http("cors", "a request without an origin"),
];

/** Everything of an answer that a client may depend on. The text for a person is left out. */
export function describeAnswer({ status, contentType, code, body, headers, details }: Answer): string {
  const type = contentType.toLowerCase().replace("application/grpc+proto", "application/grpc");
  const others = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [
    `${status}`,
    type,
    ...(code === undefined ? [] : [`code ${code}`]),
    // Over gRPC an empty answer and one with an empty partial success are the same.
    ...(body === undefined || type.startsWith("application/grpc") ? [] : [`body ${body}`]),
    ...(details === undefined ? [] : [`details ${details}`]),
    ...others.sort(),
  ].join(", ");
}
