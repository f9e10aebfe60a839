import { setTimeout as sleep } from "node:timers/promises";
import type { Backend, Reply } from "../../backend.ts";
import { eventually } from "../../peers/server.ts";
import type { Answer } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";
import type { Outage, Stage } from "./outages.ts";

/** The size of a request with a name of one letter. */
const requestBytes = goodTraces({ name: "span-a." }).length;

const quick =
  "retry_on_failure: { initial_interval: 100ms, max_interval: 100ms, multiplier: 1, randomization_factor: 0, max_elapsed_time: 60s }";
const oneSender = `timeout: 30s, ${quick}, sending_queue: { num_consumers: 1`;

/** What happens between a program and its backend. */
export const outageScenarios: readonly Outage[] = [
  {
    name: "the backend is down and comes up",
    settings: `${oneSender} }`,
    async play({ backend, send }) {
      await backend.stop();
      const answers = [await send("a"), await send("b")];
      await sleep(300);
      await backend.listen();
      return `answered ${told(answers)}; ${await arrived(backend, ["a", "b"])}`;
    },
  },
  {
    name: "the backend dies over a request and returns",
    settings: `${oneSender} }`,
    async play({ backend, send }) {
      const reply = { now: "stall" as Reply | undefined };
      backend.script = () => reply.now;
      const answers = [await send("a"), await send("b")];
      await reached(backend, 1);
      await backend.stop();
      reply.now = undefined;
      await backend.listen();
      return `answered ${told(answers)}; ${await arrived(backend, ["a", "b"])}`;
    },
  },
  {
    name: "the backend stalls longer than the timeout, twice",
    settings: `timeout: 300ms, ${quick}`,
    async play({ backend, send }) {
      backend.script = () => (backend.received.length <= 2 ? "stall" : undefined);
      const answers = [await send("a")];
      await reached(backend, 3);
      return `answered ${told(answers)}; sent ${backend.received.length} times`;
    },
  },
  ...(["requests", "items", "bytes"] as const).map(
    (sizer): Outage => ({
      name: `the backend stalls and a queue of 3 ${sizer === "bytes" ? "requests' bytes" : sizer} fills`,
      settings: `${oneSender}, sizer: ${sizer}, queue_size: ${sizer === "bytes" ? Math.round(3.5 * requestBytes) : 3} }`,
      play: fill,
    }),
  ),
  {
    name: "a queue of 2 is full with block_on_overflow: the sender waits",
    settings: `${oneSender}, queue_size: 2, block_on_overflow: true }`,
    async play({ backend, send }) {
      const reply = { now: "stall" as Reply | undefined };
      backend.script = () => reply.now;
      const answers = [await send("0")];
      await reached(backend, 1);
      answers.push(await send("1"));
      const waiting = ["2", "3"].map((name) => send(name));
      const state = await Promise.race([Promise.all(waiting).then(() => "answered"), sleep(500, "waits")]);
      reply.now = undefined;
      await backend.stop();
      await backend.listen();
      answers.push(...(await Promise.all(waiting)));
      return `${state}; answered ${told(answers)}; ${await arrived(backend, ["0", "1", "2", "3"])}`;
    },
  },
  {
    name: "max_elapsed_time passes: the request is given up, the next one is sent",
    settings:
      "retry_on_failure: { initial_interval: 100ms, max_interval: 100ms, max_elapsed_time: 300ms }, sending_queue: { num_consumers: 1 }",
    async play({ backend, send }) {
      backend.script = ({ body, protocol }) => (body.includes("refused") ? refusal(protocol) : undefined);
      const answers = [await send("refused"), await send("next")];
      return `answered ${told(answers)}; ${await arrived(backend, ["next"])}`;
    },
  },
  {
    name: "without retries a refusal is final",
    settings: "retry_on_failure: { enabled: false }, sending_queue: { num_consumers: 1 }",
    async play({ backend, send }) {
      backend.script = ({ body, protocol }) => (body.includes("refused") ? refusal(protocol) : undefined);
      const answers = [await send("refused"), await send("next")];
      await arrived(backend, ["next"]);
      return `answered ${told(answers)}; ${backend.received.length} requests`;
    },
  },
  ...[true, false].map(
    (isPermanent): Outage => ({
      name: `wait_for_result: the sender is told of a ${isPermanent ? "permanent" : "retryable"} refusal`,
      settings: `retry_on_failure: { enabled: false }, sending_queue: { wait_for_result: true }`,
      async play({ backend, send }) {
        const [permanent, retryable] = [
          { http: 400, grpc: 3 },
          { http: 503, grpc: 14 },
        ] as const;
        const { http, grpc } = isPermanent ? permanent : retryable;
        backend.script = ({ protocol }) => (protocol === "http" ? { status: http } : { code: grpc });
        return `answered ${told([await send("a")])}`;
      },
    }),
  ),
  {
    name: "batches of the queue: min_size 10, max_size 10, then the flush timeout",
    settings:
      "sending_queue: { num_consumers: 1, batch: { flush_timeout: 500ms, min_size: 10, max_size: 10 }, sizer: items }",
    async play({ backend, send }) {
      for (let request = 0; request < 23; request += 1) await send(`n${request}`);
      await reached(backend, 3);
      return `batches of ${backend.received.map(({ body }) => body.toString("latin1").split("span-").length - 1).join(" + ")}`;
    },
  },
  {
    name: "SIGTERM while the backend takes its time",
    settings: `${oneSender} }`,
    async play({ backend, daemon, send }) {
      const reply = { now: "stall" as Reply | undefined };
      backend.script = () => reply.now;
      await send("a");
      await reached(backend, 1);
      const answers = [await send("b"), await send("c")];
      daemon.signal("SIGTERM");
      reply.now = undefined;
      await backend.stop();
      await backend.listen();
      return `answered ${told(answers)}; exit code ${await daemon.ended()}; ${takenOf(backend)}`;
    },
  },
  {
    name: "SIGTERM while the backend refuses for now",
    settings: `${oneSender} }`,
    async play({ backend, daemon, send }) {
      let refusals = 0;
      backend.script = ({ protocol }) => (refusals < 3 ? refusal(protocol) : undefined);
      await send("a");
      await reached(backend, 1);
      daemon.signal("SIGTERM");
      await daemon.waitFor("Starting shutdown...");
      refusals = 3;
      return `exit code ${await daemon.ended()}; ${takenOf(backend)}`;
    },
  },
  {
    name: "killed with a queue on file_storage, then started again",
    settings: `${oneSender}, storage: file_storage }`,
    storage: true,
    async play({ backend, daemon, send, restart }) {
      await backend.stop();
      const answers = [await send("a"), await send("b"), await send("c")];
      daemon.signal("SIGKILL");
      await daemon.ended();
      await backend.listen();
      await restart();
      return `answered ${told(answers)}; ${await arrived(backend, ["a", "b", "c"])}`;
    },
  },
  {
    name: "stopped with a queue on file_storage, then started again",
    settings: `${oneSender}, storage: file_storage }`,
    storage: true,
    async play({ backend, daemon, send, restart }) {
      await backend.stop();
      const answers = [await send("a"), await send("b"), await send("c")];
      daemon.signal("SIGTERM");
      const code = await daemon.ended();
      await backend.listen();
      await restart();
      return `answered ${told(answers)}; exit code ${code}; ${await arrived(backend, ["a", "b", "c"])}`;
    },
  },
];

/** More than fits, one after another, while nothing leaves; then everything may. */
async function fill({ backend, send }: Stage): Promise<string> {
  const reply = { now: "stall" as Reply | undefined };
  backend.script = () => reply.now;
  const answers = [await send("0")];
  await reached(backend, 1);
  for (const name of ["1", "2", "3", "4", "5"]) answers.push(await send(name));
  reply.now = undefined;
  await backend.stop();
  await backend.listen();
  const taken = answers.flatMap(({ status }, index) => (status === 200 ? [`${index}`] : []));
  return `answered ${told(answers)}; ${await arrived(backend, taken)}`;
}

/** Resolves when so many requests have reached the backend. */
async function reached(backend: Backend, count: number): Promise<void> {
  await eventually(async () => backend.received.length >= count || undefined);
}

/** Waits until the backend has taken these requests. */
async function arrived(backend: Backend, names: readonly string[]): Promise<string> {
  await eventually(async () => names.every((name) => takenNames(backend).includes(name)) || undefined, 5_000).catch(
    () => undefined,
  );
  return takenOf(backend);
}

function takenOf(backend: Backend): string {
  const names = takenNames(backend);
  return names.length === 0 ? "nothing taken" : `${names.join(", ")} taken`;
}

function takenNames({ taken }: Backend): string[] {
  return taken.flatMap(({ body }) => body.toString("latin1").match(/(?<=span-)\w+(?=\.)/g) ?? []).sort();
}

function refusal(protocol: "http" | "grpc"): Reply {
  return protocol === "http" ? { status: 503 } : { code: 14 };
}

function told(answers: readonly Answer[]): string {
  return answers.map(({ status, code }) => (code === undefined ? `${status}` : `${status} (${code})`)).join(", ");
}
