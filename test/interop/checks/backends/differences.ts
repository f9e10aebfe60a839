import type { Reasons } from "../../scenarios.ts";

const whenToComeBack =
  "When a backend over HTTP says when to come back, the sender behind us is told so; the Collector keeps it to itself.";
const neverAgain = "What is refused for good names no time to come back: a sender must not try again.";
const outOfTime =
  "The code says that time ran out, as it does when the backend is reached over gRPC. Senders retry both.";

/** Names of the scenarios of each client protocol. */
function ofBothClients(backend: string, name: string): string[] {
  return ["HTTP", "gRPC"].map((client) => `backend over ${backend}, no queue, client over ${client}: ${name}`);
}

function because(reason: string, scenarios: readonly string[]): Reasons {
  return Object.fromEntries(scenarios.map((scenario) => [scenario, reason]));
}

/** Where a backend's code has another consequence on purpose. */
export const codeReasons: Reasons = {
  ...because(
    whenToComeBack,
    ["429, Retry-After", "503, Retry-After", "503, Retry-After of 0"].flatMap((name) => ofBothClients("HTTP", name)),
  ),
  ...because(
    neverAgain,
    ["code 13 INTERNAL, RetryInfo", "code 3 INVALID_ARGUMENT, RetryInfo"].map(
      (name) => `backend over gRPC, no queue, client over gRPC: ${name}`,
    ),
  ),
  ...because(outOfTime, ofBothClients("HTTP", "no answer within the timeout")),
};

const triesUntilTheEnd =
  "What was acknowledged is tried again until the time for stopping is over; the Collector gives up what is being retried when SIGTERM comes.";

/** Where an outage ends in another way on purpose. */
export const outageReasons: Reasons = because(
  triesUntilTheEnd,
  ["SIGTERM while the backend takes its time", "SIGTERM while the backend refuses for now"].flatMap((name) =>
    ["gRPC", "HTTP"].map((protocol) => `backend over ${protocol}: ${name}`),
  ),
);
