import { createHash } from "node:crypto";
import type { ClientInfo } from "../delivery.ts";
import type { AttributesEditor } from "../pdata/index.ts";
import type { ActionConfig } from "./config.ts";
import { type ConvertedType, convert } from "./convert.ts";
import { Draft } from "./draft.ts";
import { compilePattern } from "./pattern.ts";
import { doubleOf, type TypedValue, valueFromYaml } from "./typed_value.ts";

/** One action, compiled: works on the draft of one item. */
type Step = (draft: Draft, client: ClientInfo) => void;

/** A compiled list of actions. */
export interface AttributesProgram {
  /** Applies all actions in order to the attributes of one item, for a batch that came from `client`. */
  run(target: AttributesEditor, client: ClientInfo): void;
}

/** Compiles actions that the schema has accepted. Not re-entrant: one program serves one operator. */
export function compileActions(actions: readonly ActionConfig[]): AttributesProgram {
  const draft = new Draft();
  const steps = actions.map((action) => compile({ ...action, action: action.action.toLowerCase() }, draft));
  return {
    run(target, client) {
      draft.begin(target);
      for (const step of steps) step(draft, client);
      draft.write();
    },
  };
}

function compile(action: ActionConfig, draft: Draft): Step {
  switch (action.action) {
    case "delete":
      return onKeys(action, draft, (of, slot) => of.delete(slot));
    case "hash":
      return onKeys(action, draft, hash);
    case "extract":
      return extractStep(action, draft);
    case "convert":
      return convertStep(draft.slot(action.key), action.converted_type as ConvertedType);
    default:
      return writeStep(action, draft);
  }
}

/** Does `work` to the attribute `key` and to all whose key matches `pattern`. */
function onKeys(action: ActionConfig, draft: Draft, work: (draft: Draft, slot: number) => void): Step {
  const slot = action.key === "" ? undefined : draft.slot(action.key);
  const pattern = action.pattern === "" ? undefined : compilePattern(action.pattern);
  return (of) => {
    if (slot !== undefined) work(of, slot);
    if (pattern === undefined) return;
    for (const matching of of.slotsMatching(pattern)) work(of, matching);
  };
}

function hash(draft: Draft, slot: number): void {
  const value = draft.read(slot);
  if (value !== undefined) draft.set(slot, digest(value));
}

/** SHA-256 of the bytes of a scalar, in hex, of the empty text too; what is no scalar becomes the empty text. */
function digest(value: TypedValue): string {
  const bytes = scalarBytes(value);
  return bytes === undefined ? "" : createHash("sha256").update(bytes).digest("hex");
}

function scalarBytes(value: TypedValue): Buffer | undefined {
  const bytes = Buffer.alloc(8);
  const fraction = doubleOf(value);
  if (fraction !== undefined) bytes.writeDoubleLE(fraction);
  else if (typeof value === "string") return Buffer.from(value, "utf8");
  else if (typeof value === "boolean") return Buffer.of(value ? 1 : 0);
  else if (typeof value === "number" || typeof value === "bigint")
    bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  else return undefined;
  return bytes;
}

function extractStep(action: ActionConfig, draft: Draft): Step {
  const source = draft.slot(action.key);
  const pattern = compilePattern(action.pattern);
  const targets = pattern.groupNames.map((name) => draft.slot(name));
  return (of) => {
    const value = of.read(source);
    const groups = typeof value === "string" ? pattern.groups(value) : undefined;
    groups?.forEach((text, index) => {
      of.set(targets[index]!, text);
    });
  };
}

function convertStep(slot: number, type: ConvertedType): Step {
  return (of) => {
    const value = of.read(slot);
    const converted = value === undefined ? undefined : convert(value, type);
    if (converted !== undefined) of.set(slot, converted);
  };
}

function writeStep(action: ActionConfig, draft: Draft): Step {
  const slot = draft.slot(action.key);
  const source = sourceOf(action, draft);
  const wanted = action.action === "upsert" ? undefined : action.action === "update";
  return (of, client) => {
    if (wanted !== undefined && of.has(slot) !== wanted) return;
    const value = source(of, client);
    if (value !== undefined) of.set(slot, value);
  };
}

type ValueSource = (draft: Draft, client: ClientInfo) => TypedValue | undefined;

function sourceOf(action: ActionConfig, draft: Draft): ValueSource {
  if (action.from_context !== "") return (_, client) => contextValue(client, action.from_context);
  if (action.from_attribute !== "") {
    const slot = draft.slot(action.from_attribute);
    return (of) => of.read(slot);
  }
  const value = valueFromYaml(action.value);
  return () => value;
}

/** What the request says under `name`, several values joined by `;`; undefined when it says nothing. */
function contextValue(client: ClientInfo, name: string): string | undefined {
  if (name === "client.address") return hostOf(client.address);
  if (name.startsWith("auth.")) return undefined;
  const header = name.startsWith("metadata.") ? name.slice("metadata.".length) : name;
  return client.metadata?.get(header.toLowerCase())?.join(";");
}

/** The host of `host:port`, without the brackets of an IPv6 address. */
function hostOf(address: string): string {
  const colon = address.lastIndexOf(":");
  const host = colon > address.lastIndexOf("]") ? address.slice(0, colon) : address;
  return host.replace(/^\[(.*)\]$/, "$1");
}
