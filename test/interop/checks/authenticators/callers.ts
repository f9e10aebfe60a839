import type { OutgoingHttpHeaders } from "node:http";
import { frame, type Question } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";

/** A server's authenticator and what callers show it. */
export interface Doorkeeper {
  /** Of the extension, with its settings: one line of YAML. */
  readonly id: string;
  readonly settings: string;
  readonly callers: readonly (readonly [name: string, headers: OutgoingHttpHeaders])[];
}

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

const htpasswd = `
plain:secret
nginx:{PLAIN}secret
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0
apr1:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0
md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//
bcrypt:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
revision-x:$2x$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
sha256:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA
sha512:$6$rounds=1200$saltsalt$xbr9HBARqH0YxPS2NZgINQ/kPjotuGKzvTMltvdQ4YSjkj/Dy26WC5RPFw1CGf6HUUU1tWo0NDGItpyE65UPl.
malformed:{SHA}short
cut:$2y$05$abc
no colon at all
twice:first
twice:last
colon:a:b
`;

const users = htpasswd.split("\n").flatMap((line) => (line.includes(":") ? [line.split(":", 1)[0] ?? ""] : []));

/** Dollars doubled, as both programs' configurations want it. */
const inYaml = (text: string) => JSON.stringify(text).replaceAll("$", "$$$$");

const passwords: Doorkeeper = {
  id: "basicauth",
  settings: `{ htpasswd: { inline: ${inYaml(htpasswd)} } }`,
  callers: [
    ["nothing", {}],
    ["another scheme", { authorization: "Bearer secret" }],
    ["the scheme alone", { authorization: "Basic" }],
    ["no base64", { authorization: "Basic ***" }],
    ["base64 without padding", { authorization: "Basic cGxhaW46c2VjcmV" }],
    ["no colon", basic("plain")],
    ["scheme in capitals", { authorization: basic("plain:secret").authorization.replace("Basic", "BASIC") }],
    ["an empty password", basic("plain:")],
    ["an empty name", basic(":secret")],
    ["an unknown user", basic("nobody:secret")],
    ["a password with a colon", basic("colon:a:b")],
    ["the first line of a user", basic("twice:first")],
    ["the last line of a user", basic("twice:last")],
    ...users.flatMap((user) => [
      [`${user}, right`, basic(`${user}:secret`)] as const,
      [`${user}, wrong`, basic(`${user}:Secret`)] as const,
    ]),
  ],
};

const tokens: Doorkeeper = {
  id: "bearertokenauth",
  settings: "{ tokens: [one, two] }",
  callers: [
    ["nothing", {}],
    ["the first token", { authorization: "Bearer one" }],
    ["another token", { authorization: "Bearer two" }],
    ["a wrong token", { authorization: "Bearer three" }],
    ["the scheme in small letters", { authorization: "bearer one" }],
    ["no scheme", { authorization: "one" }],
    ["space behind", { authorization: "Bearer  one" }],
    ["an empty header", { authorization: "" }],
  ],
};

const key: Doorkeeper = {
  id: "bearertokenauth/key",
  settings: '{ header: X-API-Key, scheme: "", token: one }',
  callers: [
    ["nothing", {}],
    ["the key", { "x-api-key": "one" }],
    ["a wrong key", { "x-api-key": "two" }],
    ["the key in another header", { authorization: "one" }],
  ],
};

export const doorkeepers: readonly Doorkeeper[] = [passwords, tokens, key];

const protobuf = { "content-type": "application/x-protobuf" };

/** Each caller's request over HTTP, also with a bad path, and over gRPC. */
export function questionsOf({ id, callers }: Doorkeeper): readonly Question[] {
  return callers.flatMap(([name, headers]): Question[] => {
    const grpc = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    return [
      {
        name: `${id}, HTTP: ${name}`,
        protocol: "http",
        path: "/v1/traces",
        headers: { ...protobuf, ...headers },
        body: goodTraces(),
      },
      { name: `${id}, HTTP elsewhere: ${name}`, protocol: "http", path: "/nowhere", headers, method: "GET" },
      { name: `${id}, gRPC: ${name}`, protocol: "grpc", path: grpc, headers, body: frame(goodTraces()) },
    ];
  });
}
