import { once } from "node:events";
import { createServer } from "node:net";
import type { Daemon } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { compare } from "../scenarios.ts";
import { sighupReasons } from "./signals/differences.ts";
import { observe, type Scenario, type Stage } from "./signals/stage.ts";

/** How a program that is told to stop ends. */
export const sigterm = check({
  name: "sigterm",
  area: "SIGTERM and SIGHUP",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> =>
    compare(collector_released, (program) => observe(program, stops), {}),
});

/** What becomes of a program that is told to read its configuration again. */
export const sighup = check({
  name: "sighup",
  area: "SIGTERM and SIGHUP",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> =>
    compare(collector_released, (program) => observe(program, reloads), sighupReasons),
});

const lines = ["Received signal from OS", "Starting shutdown...", "Stopping extensions...", "Shutdown complete."];

/** Which of the known lines the log holds, in which order. */
function linesOf({ log }: Daemon): string {
  const found = lines.map((line) => [log.indexOf(line), line] as const).filter(([at]) => at >= 0);
  return found
    .sort(([a], [b]) => a - b)
    .map(([, line]) => line)
    .join(" ");
}

async function ended({ daemon, ports, send }: Stage, signal: NodeJS.Signals): Promise<string> {
  daemon.signal(signal);
  const code = await daemon.ended();
  return `exit code ${code}; ${linesOf(daemon)}; port ${await send("late", ports[0])}`;
}

const stops: readonly Scenario[] = [
  ...(["SIGTERM", "SIGINT"] as const).map((signal) => ({
    name: `${signal} while idle`,
    play: (stage: Stage) => ended(stage, signal),
  })),
  {
    name: "SIGTERM after a request",
    async play(stage) {
      const answer = await stage.send("a");
      return `answered ${answer}; ${await ended(stage, "SIGTERM")}; written: ${await stage.written("first", 1)}`;
    },
  },
  {
    name: "SIGTERM while a batch processor holds spans",
    processors: "batch: { timeout: 1h, send_batch_size: 1000 }",
    async play(stage) {
      const answers = [await stage.send("a"), await stage.send("b"), await stage.send("c")];
      return `answered ${answers.join(", ")}; ${await ended(stage, "SIGTERM")}; written: ${await stage.written("first", 3)}`;
    },
  },
  {
    name: "SIGTERM while requests come in: what was taken is written",
    async play(stage) {
      const taken: string[] = [];
      const stopping = (async () => {
        while (taken.length < 5) await new Promise((resolve) => setImmediate(resolve));
        return await ended(stage, "SIGTERM");
      })();
      for (let count = 0; ; count += 1) {
        if ((await stage.send(`n${count}`)) !== "200") break;
        taken.push(`n${count}`);
      }
      const end = await stopping;
      const all = await stage.written("first", taken.length);
      const missing = taken.filter((name) => !all.split(", ").includes(name));
      return `${end}; ${missing.length} missing`;
    },
  },
];

const reloads: readonly Scenario[] = [
  {
    name: "SIGHUP, nothing has changed",
    async play(stage) {
      const answers = [await stage.send("a")];
      await stage.reload();
      answers.push(await stage.send("b"));
      return `${await stage.state()}; answered ${answers.join(", ")}; written: ${await stage.written("first", 2)}`;
    },
  },
  {
    name: "SIGHUP, another exporter",
    async play(stage) {
      await stage.send("a");
      await stage.configure({ file: "second" });
      await stage.reload();
      await stage.send("b");
      const files = [await stage.written("first", 1), await stage.written("second", 1)];
      return `${await stage.state()}; written: ${files.join("; then ")}`;
    },
  },
  {
    name: "SIGHUP, another port",
    async play(stage) {
      const [before, after] = stage.ports;
      await stage.configure({ httpPort: after });
      await stage.reload();
      return `${await stage.state()}; old port ${await stage.send("a", before)}, new port ${await stage.send("b", after)}`;
    },
  },
  {
    name: "SIGHUP, a processor comes",
    async play(stage) {
      await stage.configure({ processors: "attributes: { actions: [{ key: a, action: insert, value: 1 }] }" });
      await stage.reload();
      return `${await stage.state()}; answered ${await stage.send("a")}; written: ${await stage.written("first", 1)}`;
    },
  },
  {
    name: "SIGHUP, what a batch processor holds",
    processors: "batch: { timeout: 1h, send_batch_size: 1000 }",
    async play(stage) {
      await stage.send("a");
      await stage.configure({ processors: "batch: { timeout: 1h, send_batch_size: 2 }" });
      await stage.reload();
      const answers = [await stage.send("b"), await stage.send("c")];
      return `${await stage.state()}; answered ${answers.join(", ")}; written: ${await stage.written("first", 3)}`;
    },
  },
  {
    name: "SIGHUP, twice, then SIGTERM",
    async play(stage) {
      await stage.reload();
      await stage.configure({ file: "second" });
      await stage.reload();
      await stage.send("a");
      return `${await ended(stage, "SIGTERM")}; written: ${await stage.written("second", 1)}`;
    },
  },
  {
    name: "SIGHUP, a mistake in the configuration",
    async play(stage) {
      await stage.configure({ more: "nonsense: 1" });
      return await afterReload(stage);
    },
  },
  {
    name: "SIGHUP, the configuration cannot be parsed",
    async play(stage) {
      await stage.configure({ more: "- [" });
      return await afterReload(stage);
    },
  },
  {
    name: "SIGHUP, the new port is in use",
    async play(stage) {
      const taken = createServer().listen(stage.ports[1], "127.0.0.1");
      await once(taken, "listening");
      await stage.configure({ httpPort: stage.ports[1] });
      const seen = await afterReload(stage);
      taken.close();
      return seen;
    },
  },
];

async function afterReload(stage: Stage): Promise<string> {
  await stage.reload();
  return `${await stage.state()}; answered ${await stage.send("a")}`;
}
