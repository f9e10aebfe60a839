import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AttributesEditor,
  attributeKeys,
  type Decoded,
  decode,
  editPoints,
  editRecords,
  editResources,
  editScopes,
  editSpans,
  filterPoints,
  filterRecords,
  filterSpans,
  type Key,
  type Logs,
  type Metrics,
  receive,
  type Traces,
} from "../../../../pipeline/pdata/index.ts";
import type {
  InstrumentationScope,
  KeyValue,
  Metric,
  Resource,
  Span,
} from "../../../../pipeline/pdata/objects/types.ts";
import { bytesOf, forTapes, seed } from "./property.ts";
import type { Tape } from "./tape.ts";
import { oracleVerdict } from "./verdict.ts";

/** Edits of messages in any encoding, made through the editors and made again on decoded objects. */

const runs = 2500;
const names = ["", "a", "key", "service.name", "€uro", "new", "x".repeat(200)];
const keys: Readonly<Record<string, Key>> = attributeKeys(Object.fromEntries(names.map((name) => [name, name])));

/** The changes to one owner: what to do with each, by name. */
type Change = { readonly op: "set" | "delete" | "rename"; readonly name: string; readonly text: string };

function changesFrom(tape: Tape): Change[] {
  const count = tape.below(4);
  return Array.from({ length: count }, () => ({
    op: tape.pick(["set", "delete", "rename"] as const),
    name: tape.pick(names),
    text: tape.pick(names),
  }));
}

function edit(editor: AttributesEditor, changes: readonly Change[]): void {
  for (const { op, name, text } of changes) {
    if (op === "set") editor.set(keys[name]!, text);
    else if (op === "delete") editor.delete(keys[name]!);
    else editor.rename(keys[name]!, keys[text]!);
  }
}

/** Of equal keys the first counts, and a change leaves only that one. */
function editList(list: readonly KeyValue[], changes: readonly Change[]): KeyValue[] {
  let edited = list.map((attribute) => ({ ...attribute }));
  for (const { op, name, text } of changes) {
    const found = edited.find(({ key }) => key === name);
    const others = (key: string) => edited.filter((attribute) => attribute === found || attribute.key !== key);
    if (op === "delete") edited = edited.filter(({ key }) => key !== name);
    else if (op === "set") {
      edited = others(name);
      if (found === undefined) edited.push({ key: name, value: { stringValue: text }, keyStrindex: 0 });
      else found.value = { stringValue: text };
    } else if (found !== undefined && name !== text) {
      edited = others(name);
      edited = others(text);
      found.key = text;
    }
  }
  return edited;
}

interface Owner {
  attributes: KeyValue[];
}

/** Compares what an editor made with what was made of the decoded request, and what a receiver makes of it. */
function same(edited: Traces | Logs | Metrics, expected: unknown): void {
  assert.deepEqual(decode(edited as Traces), expected);
  const walked = receive(edited.signal, Buffer.from(edited.toBuffer()));
  assert.equal(walked.itemCount, edited.itemCount);
  assert.deepEqual(decode(walked as Traces), expected, "a receiver reads the edited bytes as something else");
}

type Edited = "traces" | "metrics" | "logs";

function forRequests<S extends Edited>(
  signal: S,
  check: (bytes: Buffer, request: Decoded[S], tape: Tape) => void,
): void {
  forTapes(runs, 500, (tape) => {
    const bytes = bytesOf(signal, tape.chance(128) ? "odd" : "ordinary", tape);
    const verdict = oracleVerdict(signal, bytes);
    if ("request" in verdict) check(bytes, verdict.request as unknown as Decoded[S], tape);
  });
}

/** Edits items one by one: `decisions` are drawn while the editor walks, and applied to the decoded items after. */
function editItem(item: Owner & AttributesEditor & { drop(): void }, tape: Tape): (owner: Owner) => boolean {
  const changes = changesFrom(tape);
  edit(item, changes);
  const isDropped = tape.chance(50);
  if (isDropped) item.drop();
  return (owner) => {
    owner.attributes = editList(owner.attributes, changes);
    return !isDropped;
  };
}

/** What holds items: the items right in it, or its parts that hold them. */
interface Holder<T> {
  readonly items: (part: T) => Owner[];
  /** Filters what is inside, in place. */
  readonly filter: (part: T, keep: (item: Owner) => boolean) => void;
}

/** The parts without the items that are not kept; a part that lost items and has none left goes too. */
function prune<T>(parts: T[], { items, filter }: Holder<T>, keep: (item: Owner) => boolean): T[] {
  return parts.filter((part) => {
    const count = items(part).length;
    filter(part, keep);
    return count === 0 || items(part).length > 0;
  });
}

/** A holder of these items. */
function holding<T>(items: (part: T) => Owner[]): Holder<T> {
  const filter: Holder<T>["filter"] = (part, keep) => void items(part).splice(0, Infinity, ...items(part).filter(keep));
  return { items, filter };
}

/** A holder of parts that hold items. */
function around<T, P>(parts: (whole: T) => P[], part: Holder<P>): Holder<T> {
  return {
    items: (whole) => parts(whole).flatMap(part.items),
    filter: (whole, keep) => void parts(whole).splice(0, Infinity, ...prune([...parts(whole)], part, keep)),
  };
}

function pointsOf(metric: Metric): Owner[] {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  return (gauge ?? sum ?? histogram ?? exponentialHistogram ?? summary)?.dataPoints ?? [];
}

type Entry<S extends "resourceSpans" | "resourceLogs" | "resourceMetrics"> = (Decoded["traces"] &
  Decoded["logs"] &
  Decoded["metrics"])[S][number];

const spanHolder = around(
  (entry: Entry<"resourceSpans">) => entry.scopeSpans,
  holding((scope) => scope.spans),
);
const recordHolder = around(
  (entry: Entry<"resourceLogs">) => entry.scopeLogs,
  holding((scope) => scope.logRecords),
);
const pointHolder = around(
  (entry: Entry<"resourceMetrics">) => entry.scopeMetrics,
  around((scope) => scope.metrics, holding(pointsOf)),
);

type Keep = (item: Owner) => boolean;
const pruneTraces = ({ resourceSpans }: Decoded["traces"], keep: Keep) => ({
  resourceSpans: prune(resourceSpans, spanHolder, keep),
});
const pruneLogs = ({ resourceLogs }: Decoded["logs"], keep: Keep) => ({
  resourceLogs: prune(resourceLogs, recordHolder, keep),
});
const pruneMetrics = ({ resourceMetrics }: Decoded["metrics"], keep: Keep) => ({
  resourceMetrics: prune(resourceMetrics, pointHolder, keep),
});

describe(`edits of messages in any encoding (OTELPIPE_SEED=${seed})`, () => {
  it("edits and drops spans, and edits their events, as decoded ones", () => {
    forRequests("traces", (bytes, request, tape) => {
      const decisions: ((owner: Owner) => boolean)[] = [];
      const edited = editSpans(receive("traces", bytes), (span) => {
        const editSpan = editItem(span as never, tape);
        const plans: Change[][] = [];
        span.editEvents((event) => {
          plans.push(changesFrom(tape));
          edit(event, plans.at(-1)!);
        });
        decisions.push((owner) => {
          for (const event of (owner as Span).events) event.attributes = editList(event.attributes, plans.shift()!);
          return editSpan(owner);
        });
      });
      same(
        edited,
        pruneTraces(request, (span) => decisions.shift()!(span)),
      );
    });
  });

  it("edits and drops log records as decoded ones", () => {
    forRequests("logs", (bytes, request, tape) => {
      const decisions: ((owner: Owner) => boolean)[] = [];
      const edited = editRecords(receive("logs", bytes), (record) => {
        decisions.push(editItem(record as never, tape));
      });
      same(
        edited,
        pruneLogs(request, (record) => decisions.shift()!(record)),
      );
    });
  });

  it("edits and drops data points as decoded ones", () => {
    forRequests("metrics", (bytes, request, tape) => {
      const decisions: ((owner: Owner) => boolean)[] = [];
      const edited = editPoints(receive("metrics", bytes), (point) => {
        decisions.push(editItem(point as never, tape));
      });
      same(
        edited,
        pruneMetrics(request, (point) => decisions.shift()!(point)),
      );
    });
  });

  it("filters as decoded lists", () => {
    forRequests("traces", (bytes, request, tape) => {
      const keeps: boolean[] = [];
      const keep = () => keeps[keeps.push(tape.chance(128)) - 1]!;
      same(
        filterSpans(receive("traces", bytes), keep),
        pruneTraces(request, () => keeps.shift()!),
      );
    });
    forRequests("logs", (bytes, request, tape) => {
      const keeps: boolean[] = [];
      const keep = () => keeps[keeps.push(tape.chance(128)) - 1]!;
      same(
        filterRecords(receive("logs", bytes), keep),
        pruneLogs(request, () => keeps.shift()!),
      );
    });
    forRequests("metrics", (bytes, request, tape) => {
      const keeps: boolean[] = [];
      const keep = () => keeps[keeps.push(tape.chance(128)) - 1]!;
      same(
        filterPoints(receive("metrics", bytes), keep),
        pruneMetrics(request, () => keeps.shift()!),
      );
    });
  });

  for (const signal of ["traces", "metrics", "logs"] as const) {
    it(`edits resources of ${signal} as decoded ones, and makes the missing`, () => {
      forRequests(signal, (bytes, request, tape) => {
        const plans: Change[][] = [];
        const edited = editResources(receive(signal, bytes), (resource) => {
          plans.push(changesFrom(tape));
          edit(resource, plans.at(-1)!);
        });
        for (const { entry } of groupsOf(request)) {
          const attributes = editList(entry.resource?.attributes ?? [], plans.shift()!);
          if (entry.resource !== undefined || attributes.length > 0)
            entry.resource = resourceOf(entry.resource, attributes);
        }
        same(edited, request);
      });
    });

    it(`edits scopes of ${signal} as decoded ones, and makes the missing`, () => {
      forRequests(signal, (bytes, request, tape) => {
        const plans: { changes: Change[]; name: string | undefined }[] = [];
        const edited = editScopes(receive(signal, bytes), (scope) => {
          const plan = { changes: changesFrom(tape), name: tape.chance(60) ? tape.pick(names) : undefined };
          plans.push(plan);
          edit(scope, plan.changes);
          if (plan.name !== undefined) scope.name = plan.name;
        });
        for (const entry of groupsOf(request).flatMap(({ scopes }) => scopes)) {
          const { changes, name } = plans.shift()!;
          const attributes = editList(entry.scope?.attributes ?? [], changes);
          const scope = scopeOf(entry.scope, attributes, name);
          if (entry.scope !== undefined || attributes.length > 0 || scope.name !== "") entry.scope = scope;
        }
        same(edited, request);
      });
    });
  }
});

interface Group {
  readonly entry: { resource?: Resource };
  readonly scopes: readonly { scope?: InstrumentationScope }[];
}

/** The entries of a request of any signal, one a resource, with their entries, one a scope. */
function groupsOf(request: Decoded[Edited]): Group[] {
  if ("resourceSpans" in request) return request.resourceSpans.map((entry) => ({ entry, scopes: entry.scopeSpans }));
  if ("resourceLogs" in request) return request.resourceLogs.map((entry) => ({ entry, scopes: entry.scopeLogs }));
  return request.resourceMetrics.map((entry) => ({ entry, scopes: entry.scopeMetrics }));
}

function resourceOf(resource: Resource | undefined, attributes: KeyValue[]): Resource {
  return { droppedAttributesCount: 0, entityRefs: [], ...resource, attributes };
}

function scopeOf(
  scope: InstrumentationScope | undefined,
  attributes: KeyValue[],
  name: string | undefined,
): InstrumentationScope {
  const present = { name: "", version: "", droppedAttributesCount: 0, ...scope };
  return { ...present, attributes, name: name ?? present.name };
}
