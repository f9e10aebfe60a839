import { setTimeout as sleep } from "node:timers/promises";
import { Daemon } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { freePorts } from "../peers/server.ts";
import { compare, type Observations, type Program } from "../scenarios.ts";
import { ask } from "./answers/ask.ts";
import { requestReasons } from "./requests/differences.ts";
import { type Door, describeAnswer, requestQuestions } from "./requests/questions.ts";

const doors: readonly Door[] = ["open", "basic", "bearer", "cors", "overloaded"];

/** What is answered to senders without, with wrong and with right credentials, from pages, and when there is no memory. */
export const requests = check({
  name: "requests",
  area: "Requests: unauthorised, overloaded, from pages; headers of answers",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> => compare(collector_released, observeRequests, requestReasons),
});

async function observeRequests({ command }: Program): Promise<Observations> {
  const free = await freePorts(doors.length * 2);
  const ports = new Map(
    doors.map((door, index) => [door, { httpPort: free[index * 2] ?? 0, grpcPort: free[index * 2 + 1] ?? 0 }]),
  );
  const daemon = await Daemon.start({ yaml: config(ports), command });
  try {
    // The memory limiter looks every second.
    await sleep(2_000);
    const seen: Record<string, string> = {};
    for (const question of requestQuestions) {
      const answer = await ask(ports.get(question.door) ?? { httpPort: 0, grpcPort: 0 }, question);
      seen[question.name] = describeAnswer(answer);
    }
    return seen;
  } finally {
    daemon.signal("SIGKILL");
    await daemon.ended();
  }
}

type Ports = ReadonlyMap<Door, { readonly httpPort: number; readonly grpcPort: number }>;

function config(ports: Ports): string {
  const auth: Partial<Record<Door, string>> = {
    basic: ", auth: { authenticator: basicauth }",
    bearer: ", auth: { authenticator: bearertokenauth }",
  };
  const cors =
    ', response_headers: { x-served-by: gateway }, cors: { allowed_origins: ["https://page.test", "https://*.pages.test"], allowed_headers: [x-app], max_age: 600 }';
  const receivers = doors.map((door) => {
    const { httpPort, grpcPort } = ports.get(door) ?? {};
    const both = auth[door] ?? "";
    const http = `http: { endpoint: "127.0.0.1:${httpPort}"${both}${door === "cors" ? cors : ""} }`;
    return `  otlp/${door}: { protocols: { grpc: { endpoint: "127.0.0.1:${grpcPort}"${both} }, ${http} } }`;
  });
  const pipelines = doors.map((door) => {
    const processors = door === "overloaded" ? "memory_limiter" : "";
    return `    traces/${door}: { receivers: [otlp/${door}], processors: [${processors}], exporters: [nop] }`;
  });
  return `receivers:
${receivers.join("\n")}
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 1 }
exporters:
  nop:
extensions:
  basicauth: { htpasswd: { inline: "user:secret" } }
  bearertokenauth: { token: t0ken }
service:
  extensions: [basicauth, bearertokenauth]
  telemetry: { metrics: { level: none } }
  pipelines:
${pipelines.join("\n")}
`;
}
