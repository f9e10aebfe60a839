import type { Profiler, Runtime } from "node:inspector";
import { gzip } from "node:zlib";
import { Line, Location, Profile, Function as ProfiledFunction, Sample, StringTable, ValueType } from "pprof-format";

/** Gives a profile of pprof's format, gzipped. Ids start at 1: 0 means none. @see pprof: `proto/profile.proto`. */
class Builder {
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, ProfiledFunction>();
  readonly #locations = new Map<string, Location>();
  readonly #samples: Sample[] = [];

  valueType(type: string, unit: string): ValueType {
    return new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) });
  }

  /** `frames` from the innermost to the outermost. */
  add(frames: readonly Runtime.CallFrame[], value: readonly number[]): void {
    this.#samples.push(new Sample({ locationId: frames.map((frame) => this.#locationOf(frame)), value: [...value] }));
  }

  async bytes(about: {
    readonly sampleType: readonly ValueType[];
    readonly periodType: ValueType;
    readonly period: number;
    readonly startUnixMs: number;
    readonly durationMs: number;
  }): Promise<Buffer> {
    const profile = new Profile({
      sampleType: [...about.sampleType],
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      stringTable: this.#strings,
      timeNanos: BigInt(Math.round(about.startUnixMs)) * 1_000_000n,
      durationNanos: Math.round(about.durationMs * 1e6),
      periodType: about.periodType,
      period: about.period,
    });
    return await gzipped(profile.encode());
  }

  #locationOf({ functionName, url, lineNumber, columnNumber }: Runtime.CallFrame): number {
    const name = functionName === "" ? "(anonymous)" : functionName;
    const functionKey = JSON.stringify([name, url, lineNumber]);
    let known = this.#functions.get(functionKey);
    if (known === undefined) {
      const nameId = this.#strings.dedup(name);
      known = new ProfiledFunction({
        id: this.#functions.size + 1,
        name: nameId,
        systemName: nameId,
        filename: this.#strings.dedup(url),
        startLine: lineNumber + 1,
      });
      this.#functions.set(functionKey, known);
    }
    const key = JSON.stringify([functionKey, columnNumber]);
    let location = this.#locations.get(key);
    if (location === undefined) {
      const line = new Line({ functionId: known.id, line: lineNumber + 1 });
      location = new Location({ id: this.#locations.size + 1, line: [line] });
      this.#locations.set(key, location);
    }
    return Number(location.id);
  }
}

/** A CPU profile of V8 as pprof's: samples and nanoseconds of CPU by stack, idle time left out. */
export async function encodeCpu(profile: Profiler.Profile, startUnixMs: number): Promise<Buffer> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const totals = new Map<number, { samples: number; micros: number }>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const total = totals.get(id) ?? { samples: 0, micros: 0 };
    total.samples += 1;
    total.micros += Math.max(0, profile.timeDeltas?.[index] ?? 0);
    totals.set(id, total);
  }
  const builder = new Builder();
  for (const [id, { samples, micros }] of totals) {
    const frames: Runtime.CallFrame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = nodes.get(at)?.callFrame;
      if (frame !== undefined && frame.functionName !== "(root)") frames.push(frame);
    }
    if (frames.length === 0 || frames[0]?.functionName === "(idle)") continue;
    builder.add(frames, [samples, micros * 1000]);
  }
  const cpu = builder.valueType("cpu", "nanoseconds");
  const taken = profile.samples?.length ?? 0;
  return await builder.bytes({
    sampleType: [builder.valueType("samples", "count"), cpu],
    periodType: cpu,
    period: taken === 0 ? 0 : Math.round(((profile.endTime - profile.startTime) * 1000) / taken),
    startUnixMs,
    durationMs: (profile.endTime - profile.startTime) / 1000,
  });
}

/** A sampling heap profile as V8 gives it, which Node's types know in part only. */
export interface HeapProfile {
  readonly head: HeapNode;
  /** One for each object that was sampled. */
  readonly samples: readonly { readonly nodeId: number }[];
}

interface HeapNode {
  readonly id: number;
  readonly callFrame: Runtime.CallFrame;
  /** Bytes, projected from the samples. */
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Which objects a heap profile counts: those that are alive, or all that were made. */
export type HeapKind = "inuse" | "alloc";

/** A sampling heap profile of V8 as pprof's: objects and bytes by stack. `intervalBytes` is the mean distance of samples. */
export async function encodeHeap(
  profile: HeapProfile,
  kind: HeapKind,
  intervalBytes: number,
  time: { readonly startUnixMs: number; readonly durationMs: number },
): Promise<Buffer> {
  const builder = new Builder();
  const objects = new Map<number, number>();
  for (const { nodeId } of profile.samples) objects.set(nodeId, (objects.get(nodeId) ?? 0) + 1);
  const visit = (node: HeapNode, outer: readonly Runtime.CallFrame[]) => {
    const frames = node.callFrame.functionName === "(root)" ? outer : [node.callFrame, ...outer];
    if (node.selfSize > 0 && frames.length > 0) builder.add(frames, [objects.get(node.id) ?? 1, node.selfSize]);
    for (const child of node.children) visit(child, frames);
  };
  visit(profile.head, []);
  const space = builder.valueType("space", "bytes");
  return await builder.bytes({
    sampleType: [builder.valueType(`${kind}_objects`, "count"), builder.valueType(`${kind}_space`, "bytes")],
    periodType: space,
    period: intervalBytes,
    ...time,
  });
}

function gzipped(bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(bytes, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
