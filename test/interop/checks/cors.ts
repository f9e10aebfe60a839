import { once } from "node:events";
import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { Daemon, fromSources } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { freePorts } from "../peers/server.ts";
import { judge, type Observations, type Program } from "../scenarios.ts";

/** Settings of `cors`, by a word for them. */
const settings: Readonly<Record<string, string>> = {
  patterns: 'allowed_origins: ["http://*.test", "https://one.example", "http://a*b*c"], max_age: 7200',
  everybody: 'allowed_origins: ["*"], exposed_headers: [x-request-id, ETag]',
  headers: 'allowed_origins: ["http://a.test"], allowed_headers: [Traceparent, X-Api-Key, baggage], max_age: -1',
  everything: 'allowed_origins: ["http://a.test", "*"], allowed_headers: ["*"]',
  off: "allowed_headers: [a]",
};

const origins = [
  ...[undefined, "", "null", "http://evil", "http://.test", "http://a.test", "http://A.test", "http://x.y.test"],
  ...["https://one.example", "http://one.example", "http://axbxc", "http://ab*c"],
];

const methods = ["POST", "GET", "PUT", "OPTIONS"];

const askedHeaders = [
  ...["", "content-type", "Content-Type", "accept,content-type", "accept, content-type", "content-type,accept"],
  ...["x-requested-with", "traceparent", "baggage,traceparent,x-api-key", "baggage,content-type,traceparent"],
  ...[",,accept", "accept,accept", "accept,  content-type"],
];

interface Asked {
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
}

function questions(): readonly Asked[] {
  const asks = "access-control-request-method";
  return origins.flatMap((origin) => {
    const from = origin === undefined ? {} : { origin };
    const preflight = (headers: OutgoingHttpHeaders) => ({ method: "OPTIONS", headers: { ...from, ...headers } });
    return [
      ...methods.map((method) => ({ method, headers: { ...from, "content-type": "application/json" } })),
      ...[...methods, "", "post"].map((method) => preflight({ [asks]: method })),
      ...askedHeaders.map((names) => preflight({ [asks]: "POST", "access-control-request-headers": names })),
    ];
  });
}

/** Requests and preflights of pages from many origins: status and headers of the answers. */
export const cors = check({
  name: "cors",
  area: "Requests: unauthorised, overloaded, from pages; headers of answers",
  needs: ["collector"],
  async run({ collector }): Promise<Findings> {
    const theirs = await observe({ name: "Collector", command: { program: collector.executable, args: [] } });
    judge(await observe({ name: "otelpipe", command: fromSources }), theirs, {});
    const scenarios = Object.keys(theirs).length;
    const checked = `requests and preflights of ${origins.length} origins, over ${Object.keys(settings).length} \`cors\` blocks`;
    const result = `${scenarios} of ${scenarios} answered alike`;
    return { rows: [{ peer: "Collector, side by side", checked, result, scenarios, equal: scenarios }] };
  },
});

async function observe({ command }: Program): Promise<Observations> {
  const names = Object.keys(settings);
  const ports = await freePorts(names.length);
  const daemon = await Daemon.start({ yaml: config(names, ports), command });
  try {
    const seen: Record<string, string> = {};
    for (const [index, name] of names.entries()) {
      for (const asked of questions()) {
        seen[`${name}: ${asked.method} ${JSON.stringify(asked.headers)}`] = await answerTo(ports[index] ?? 0, asked);
      }
    }
    return seen;
  } finally {
    daemon.signal("SIGKILL");
    await daemon.ended();
  }
}

function config(names: readonly string[], ports: readonly number[]): string {
  const receivers = names.map((name, index) => {
    const block = `cors: { ${settings[name]} }, response_headers: { X-Own: own }`;
    return `  otlp/${name}: { protocols: { http: { endpoint: "127.0.0.1:${ports[index]}", ${block} } } }\n`;
  });
  return `receivers:
${receivers.join("")}exporters: { debug: }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [${names.map((name) => `otlp/${name}`).join(", ")}], exporters: [debug] } }
`;
}

async function answerTo(port: number, { method, headers }: Asked): Promise<string> {
  const sent = request({ host: "127.0.0.1", port, method, path: "/v1/traces", headers, agent: false });
  sent.end(method === "POST" ? "{}" : undefined);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  const told = Object.entries(response.headersDistinct).filter(([name]) => /^(vary|x-own|access-.*)$/.test(name));
  return JSON.stringify([response.statusCode, told.sort()]);
}
