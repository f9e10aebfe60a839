import { shortId, timeSpan, traffic } from "../../pipeline/number_text.ts";
import { reveal } from "../api.ts";
import { el, telemetry, visible, visibleLines } from "../dom.ts";
import type { FieldPlace, GraphNode, SpanDetail, SpanField } from "../wire/messages.ts";

/** Attributes people look for first, in this order; the rest follows as sent. */
const first = [
  "gen_ai.request.model",
  "gen_ai.usage.input_tokens",
  "gen_ai.usage.output_tokens",
  "error.type",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
];

const statusWord = { OK: "OK", ERROR: "Error", UNSET: "Unset" } as const;

/** The attributes of one span. Masked text is not in the page until asked for, one attribute at a time. */
export function drawSpan(component: string, span: SpanDetail, close: () => void): HTMLElement[] {
  const error = span.statusMessage || span.attributes.find(({ key }) => key === "error.type")?.text || "";
  const closer = el("button", { type: "button", class: "link", title: "Close (Esc)" }, "Close");
  closer.addEventListener("click", close);
  const head = el(
    "div",
    { class: "drawer-head" },
    el("span", { class: `mark ${span.status.toLowerCase()}`, "aria-hidden": "true" }),
    el("h3", {}, telemetry(span.name, 60)),
    span.status === "ERROR"
      ? el("span", { class: "failed" }, telemetry(error || "error", 80))
      : el("span", { class: "quiet" }, statusWord[span.status]),
    copier(span),
    closer,
  );
  const facts = el(
    "dl",
    { class: "fields" },
    ...row("duration", document.createTextNode(timeSpan(span.durationMs))),
    ...ordered(span.attributes).flatMap((field) => fieldRow(component, span, field, "span")),
    ...span.events.flatMap((event, index) => [
      ...row(`+${timeSpan(event.offsetMs)}`, el("b", {}, telemetry(event.name))),
      ...event.attributes.flatMap((field) => fieldRow(component, span, field, index)),
    ]),
    ...span.resource.flatMap((field) => fieldRow(component, span, field, "resource")),
    ...row("kind", telemetry(span.kind)),
    ...row(
      "start",
      document.createTextNode(`${new Date(span.startUnixMs).toISOString().replace("T", " ").slice(0, 23)} UTC`),
    ),
    ...row("trace_id", telemetry(span.traceId)),
    ...row("span_id", telemetry(span.spanId)),
    ...(span.parentSpanId === "" ? [] : row("parent_span_id", telemetry(span.parentSpanId))),
  );
  return [head, el("div", { class: "drawer-body" }, facts)];
}

const saidMs = 1_500;

/** The ids, short; a click copies the trace's. */
function copier({ traceId, spanId }: SpanDetail): HTMLElement {
  const ids = `${shortId(traceId)} / ${spanId.slice(-8)}`;
  const title = `${traceId} / ${spanId}. Copy the trace id (Y)`;
  const button = el("button", { type: "button", class: "link ids", title }, ids);
  const say = (text: string) => {
    button.textContent = text;
    setTimeout(() => (button.textContent = ids), saidMs);
  };
  button.addEventListener("click", () => {
    // A browser gives its clipboard to pages of this machine and of https only.
    if (navigator.clipboard === undefined) say("no clipboard here");
    else
      navigator.clipboard.writeText(traceId).then(
        () => say("trace id copied"),
        () => say("not copied"),
      );
  });
  return button;
}

/** Asks for the next masked text of the open span; when none is masked any more, masks them all again. */
export function toggleText(drawer: HTMLElement): void {
  const masked = drawer.querySelector<HTMLButtonElement>(".masked-field > .masked ~ button");
  if (masked !== null) masked.click();
  else for (const hide of drawer.querySelectorAll<HTMLButtonElement>(".masked-field > button")) hide.click();
}

function ordered(fields: readonly SpanField[]): SpanField[] {
  const rank = ({ key }: SpanField) => (first.includes(key) ? first.indexOf(key) : first.length);
  return fields.toSorted((one, other) => rank(one) - rank(other));
}

function row(key: string, value: Node): HTMLElement[] {
  return [el("dt", {}, telemetry(key, 60)), el("dd", {}, value)];
}

function fieldRow(component: string, span: SpanDetail, field: SpanField, of: FieldPlace["of"]): HTMLElement[] {
  const [name, value] =
    field.masked === undefined ? row(field.key, plain(field)) : row(field.key, masked(component, span, field, of));
  if (name === undefined || value === undefined) return [];
  name.title = `${visible(field.key)}${of === "resource" ? ", of the resource" : ""}`;
  if (field.key === "error.type" || field.key.startsWith("exception.")) value.classList.add("failed");
  return [name, value];
}

function plain({ text = "" }: SpanField): HTMLElement {
  return text.length > 160 || text.includes("\n")
    ? el("pre", {}, el("bdi", {}, visibleLines(text)))
    : telemetry(text, 160);
}

function masked(component: string, span: SpanDetail, field: SpanField, of: FieldPlace["of"]): HTMLElement {
  const size = traffic(field.masked?.sizeBytes ?? 0);
  const digest = visible(field.masked?.digest ?? "").replace(/^sha256:/, "");
  const cover = el(
    "span",
    { class: "masked", title: `sha256 ${digest}` },
    lock(),
    ` masked, ${size}, ${digest.slice(0, 8)}`,
  );
  const button = el("button", { type: "button", class: "link" }, "Show text");
  const holder = el("span", { class: "masked-field" }, cover, button);
  const cause = el("span", { class: "failed", role: "alert" });
  const uncover = async () => {
    const { text } = await reveal(component, span.traceId, span.spanId, { key: field.key, of });
    const shown = el("pre", { class: "revealed", tabindex: "-1" }, el("bdi", {}, visibleLines(text)));
    const hide = el("button", { type: "button", class: "link" }, "Hide text");
    hide.addEventListener("click", () => holder.replaceChildren(cover, button));
    holder.replaceChildren(shown, hide);
    shown.focus();
  };
  button.addEventListener("click", () => {
    uncover().catch((error: unknown) => {
      cause.textContent = `The text is not there any more (${String(error)}).`;
      holder.append(cause);
    });
  });
  return holder;
}

function lock(): HTMLElement {
  return el("span", { class: "lock", "aria-hidden": "true" });
}

/** What stands there while no span is chosen: how to choose one, and those that failed last. */
export function drawFailures(nodes: readonly GraphNode[], open: (node: GraphNode) => void): HTMLElement[] {
  const failed = nodes
    .filter((node) => node.status === "ERROR")
    .sort((one, other) => other.startUnixMs - one.startUnixMs);
  const items = failed.slice(0, 5).map((node) => {
    const button = el("button", { type: "button", class: "failure" });
    button.append(
      el("span", { class: "mark error", "aria-hidden": "true" }),
      el("span", { class: "code" }, telemetry(node.label, 48)),
      el("span", { class: "quiet" }, telemetry(node.service, 24)),
      el("span", { class: "number" }, timeSpan(node.durationMs)),
    );
    button.addEventListener("click", () => open(node));
    return el("li", {}, button);
  });
  const hint =
    failed.length === 0 ? "Choose a span for its attributes." : "Failed last. Choose any span for its attributes.";
  return [el("p", { class: "drawer-hint" }, `${hint} Prompts are masked.`), el("ul", { class: "failures" }, ...items)];
}
