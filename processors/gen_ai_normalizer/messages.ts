import type { Draft } from "../../pipeline/attributes_actions/draft.ts";
import { valueText } from "../../pipeline/attributes_actions/value_text.ts";
import type { SourceSettings } from "./source.ts";

/** A part of a message as the GenAI conventions write it. */
type Part =
  | { readonly type: "text"; readonly content: string }
  | { readonly type: "tool_call"; readonly id?: string; readonly name: string }
  | { readonly type: "tool_call_response"; readonly id: string; readonly response: string };

/** The fields of one message, gathered from OpenInference's flat attributes. */
interface Gathered {
  readonly fields: Map<string, string>;
  readonly toolCalls: Map<number, Map<string, string>>;
  readonly contents: Map<number, Map<string, string>>;
  /** Attributes it was gathered from, with what they tell. */
  readonly sources: { readonly name: string; readonly tells: Field; readonly content?: number }[];
}

type Field = "role" | "name" | "content" | "tool_call_id" | "tool_calls" | "contents";

const directions = [
  { prefix: "llm.input_messages.", target: "gen_ai.input.messages", isOutput: false },
  { prefix: "llm.output_messages.", target: "gen_ai.output.messages", isOutput: true },
] as const;

const messageKey =
  /^(\d+)\.message\.(?:(role|name|content|tool_call_id)|tool_calls\.(\d+)\.tool_call\.(id|function\.name|function\.arguments)|contents\.(\d+)\.message_content\.(type|text))$/;

/** Attributes one of which every span with flat messages has, so that other spans need not be searched. */
const hints = [
  "openinference.span.kind",
  "llm.input_messages.0.message.role",
  "llm.input_messages.0.message.content",
  "llm.output_messages.0.message.role",
  "llm.output_messages.0.message.content",
];

/**
 * Rebuilds `gen_ai.input.messages` and `gen_ai.output.messages` as JSON text from OpenInference's flat attributes
 * (`llm.input_messages.0.message.role` and so on). With `removeOriginals` the attributes go whose content is in the
 * result; images, audio and unknown fields stay.
 */
export function messageRebuilder(settings: SourceSettings, draft: Draft): (draft: Draft) => boolean {
  const hintSlots = hints.map((name) => draft.slot(name));
  const targets = directions.map((direction) => ({ ...direction, to: draft.slot(direction.target) }));
  return (of) => {
    if (!hintSlots.some((slot) => of.has(slot))) return false;
    let changed = false;
    for (const { prefix, to, isOutput } of targets) {
      if (of.has(to) && !settings.overwrite) continue;
      const messages = gather(of, prefix);
      if (messages.length === 0) continue;
      of.set(to, `[${messages.map((message) => messageJson(message, isOutput)).join(",")}]`);
      if (settings.removeOriginals) for (const name of messages.flatMap(toldBy)) of.delete(of.slot(name));
      changed = true;
    }
    return changed;
  };
}

function gather(draft: Draft, prefix: string): Gathered[] {
  const messages = new Map<number, Gathered>();
  for (const [name, value] of draft.entries()) {
    const match = name.startsWith(prefix) ? messageKey.exec(name.slice(prefix.length)) : null;
    if (match === null) continue;
    const [, index, field, call, callField, content, contentField] = match;
    const message = at(messages, Number(index), () => ({
      fields: new Map(),
      toolCalls: new Map(),
      contents: new Map(),
      sources: [],
    }));
    const text = valueText(value);
    if (field !== undefined) {
      message.fields.set(field, text);
      message.sources.push({ name, tells: field as Field });
    } else if (callField !== undefined) {
      at(message.toolCalls, Number(call), () => new Map<string, string>()).set(callField, text);
      message.sources.push({ name, tells: "tool_calls" });
    } else {
      at(message.contents, Number(content), () => new Map<string, string>()).set(contentField ?? "", text);
      message.sources.push({ name, tells: "contents", content: Number(content) });
    }
  }
  return inOrder(messages);
}

function at<T>(map: Map<number, T>, index: number, make: () => T): T {
  const present = map.get(index) ?? make();
  map.set(index, present);
  return present;
}

function inOrder<T>(map: ReadonlyMap<number, T>): T[] {
  return [...map].sort(([left], [right]) => left - right).map(([, value]) => value);
}

function messageJson(message: Gathered, isOutput: boolean): string {
  const name = message.fields.get("name");
  const head = JSON.stringify({ role: roleOf(message, isOutput), ...(name ? { name } : {}) });
  const end = isOutput ? ',"finish_reason":""' : "";
  return `${head.slice(0, -1)},"parts":[${partsOf(message).join(",")}]${end}}`;
}

/** A tool answers only in the input; what a model says is never a tool's turn. */
function roleOf({ fields, toolCalls }: Gathered, isOutput: boolean): string {
  const role = fields.get("role") ?? "";
  if (fields.get("tool_call_id") && !isOutput) return "tool";
  if (["system", "user", "assistant"].includes(role) || (role === "tool" && !isOutput)) return role;
  return toolCalls.size > 0 ? "assistant" : "user";
}

/** Which fields the parts are made of: an answer of a tool, calls of tools, the text, or the list of contents. */
function origin({ fields, toolCalls, contents }: Gathered): Field | undefined {
  if (fields.get("tool_call_id")) return "tool_call_id";
  if (toolCalls.size > 0) return "tool_calls";
  if (fields.get("content")) return "content";
  return [...contents.values()].some(isText) ? "contents" : undefined;
}

/** The parts, each as JSON. */
function partsOf(message: Gathered): string[] {
  const { fields, toolCalls, contents } = message;
  const content = fields.get("content") ?? "";
  switch (origin(message)) {
    case "tool_call_id":
      return [partJson({ type: "tool_call_response", id: fields.get("tool_call_id") ?? "", response: content })];
    case "tool_calls":
      return inOrder(toolCalls).map(toolCallJson);
    case "content":
      return [partJson({ type: "text", content })];
    case "contents":
      return inOrder(contents)
        .filter(isText)
        .map((entry) => partJson({ type: "text", content: entry.get("text") ?? "" }));
    default:
      return [];
  }
}

function partJson(part: Part): string {
  return JSON.stringify(part);
}

function isText(content: ReadonlyMap<string, string>): boolean {
  const type = content.get("type") ?? "";
  return Boolean(content.get("text")) && (type === "" || type === "text");
}

function toolCallJson(call: ReadonlyMap<string, string>): string {
  const id = call.get("id");
  const given = call.get("function.arguments");
  const head = partJson({ type: "tool_call", ...(id ? { id } : {}), name: call.get("function.name") ?? "" });
  return given ? `${head.slice(0, -1)},"arguments":${argumentsJson(given)}}` : head;
}

/**
 * Arguments as the model wrote them, when that is JSON: written out again, a large number would lose digits and a deep
 * nesting fail. Anything else as a text.
 */
function argumentsJson(given: string): string {
  try {
    JSON.parse(given);
    return given.trim();
  } catch {
    return JSON.stringify(given);
  }
}

/** The attributes whose content is in the message that was built. */
function toldBy(message: Gathered): string[] {
  const from = origin(message);
  const isTold = ({ tells, content }: Gathered["sources"][number]): boolean => {
    if (tells === "role" || tells === "name") return true;
    if (tells === "content") return from === "content" || from === "tool_call_id";
    if (tells === "contents") return from === "contents" && isText(message.contents.get(content ?? -1) ?? new Map());
    return tells === from;
  };
  return message.sources.filter(isTold).map(({ name }) => name);
}
