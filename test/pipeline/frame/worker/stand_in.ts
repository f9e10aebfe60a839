/**
 * A worker that computes with the `cpu` engine, and misbehaves on its `--request`th request, the first unless said, as
 * `--behave` says. What `--behave` names that is about the start happens at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openCpuEngine } from "../../../../pipeline/frame/cpu/engine.ts";
import { fromArrowStream, toArrowStream } from "../../../../pipeline/frame/worker/arrow.ts";
import { FrameReader, frameHeader, frameKind } from "../../../../pipeline/frame/worker/frames.ts";
import { systemClock } from "../../../../pipeline/process/clock.ts";

const { behave, request: misbehavesAt } = parseArgs({
  options: { behave: { type: "string", default: "well" }, request: { type: "string", default: "1" } },
}).values;
const reader = new FrameReader();
const engine = await openCpuEngine({ clock: systemClock });
const memory = { free_bytes: 1000, total_bytes: 2000 };

function write(kind: number, ...payload: readonly Uint8Array[]): void {
  process.stdout.write(
    frameHeader(
      kind,
      payload.reduce((size, { length }) => size + length, 0),
    ),
  );
  for (const part of payload) process.stdout.write(part);
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

if (behave === "dies at start") process.exit(3);
if (behave === "says garbage") process.stdout.write("Loading model, please wait...\n");
const protocol = behave === "speaks another version" ? 99 : 1;
const functions = ["count", "sum", "mean", "min", "max", "std", "nunique", "quantile"];
if (behave !== "says nothing")
  write(
    frameKind.hello,
    json({ protocol, engine: "stand-in 1.0", device: "Test GPU", gpu: behave !== "has no GPU", functions, memory }),
  );

let seen = 0;
let header: { id: number; groupBy: string[]; aggregations: [] } | undefined;
for await (const part of process.stdin) {
  for (const { kind, payload } of reader.push(part)) {
    if (kind === frameKind.request) header = JSON.parse(String(Buffer.from(payload)));
    if (kind !== frameKind.table || header === undefined) continue;
    seen++;
    if (seen === Number(misbehavesAt) && (await misbehave(header.id))) continue;
    try {
      const columns = await engine.aggregate(await fromArrowStream(payload), header);
      write(frameKind.answer, json({ id: header.id, compute_ms: 1, memory }));
      write(frameKind.table, ...(await toArrowStream(columns, async () => {})));
    } catch (error) {
      write(frameKind.error, json({ id: header.id, code: "bad_request", message: String(error) }));
    }
  }
}

/** Whether the request has been dealt with. */
async function misbehave(id: number): Promise<boolean> {
  switch (behave) {
    case "dies":
      process.kill(process.pid, "SIGKILL");
      break;
    case "hangs":
      await sleep(600_000);
      break;
    case "runs out of memory":
      write(frameKind.error, json({ id, code: "out_of_memory", message: "std::bad_alloc" }));
      break;
    case "answers garbage":
      process.stdout.write(Buffer.alloc(5, 0xff));
      break;
    case "answers another request":
      write(frameKind.answer, json({ id: id + 7, compute_ms: 1, memory }));
      break;
    case "answers other columns":
      write(frameKind.answer, json({ id, compute_ms: 1, memory }));
      write(frameKind.table, ...(await toArrowStream([], async () => {})));
      break;
    default:
      return false;
  }
  return true;
}
