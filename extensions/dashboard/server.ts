import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { FieldPlace, GraphSnapshot, Revealed, SpanDetail, SpanField } from "../../dashboard/wire/messages.ts";
import type { Board, TimeRange } from "../../pipeline/board.ts";
import type { Logger } from "../../pipeline/host.ts";
import type { ReloadVerdict } from "../../pipeline/view.ts";
import type { Assets } from "./assets.ts";
import { refusal } from "./guard.ts";
import type { Live } from "./live.ts";

/** What the dashboard's routes need. */
export interface Parts {
  readonly board: Board;
  readonly live: Live;
  readonly assets: Assets;
  readonly logger: Logger;
  readonly isAllowedHost: (name: string) => boolean;
  /** Reads the configuration again and applies it; gives nothing where there is none to read. */
  readonly reload: () => Promise<ReloadVerdict | undefined>;
}

const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
    "font-src 'self'; connect-src 'self'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** A reveal names one attribute key. */
const revealLimit = bodyLimit({
  maxSize: 64 * 1024,
  onError: (context) => context.text("a request for text names one attribute, in at most 64 kB\n", 413),
});

/** The dashboard's routes. Telemetry leaves only as JSON, never as markup. */
export function routes(parts: Parts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const why = refusal(askingOf(context), parts.isAllowedHost);
    if (why === undefined) await next();
    else context.res = context.text(`${why}\n`, 403);
    for (const [name, value] of Object.entries(securityHeaders)) context.res.headers.set(name, value);
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  });
  app.get("/", (context) =>
    context.body(new Uint8Array(parts.assets.page), 200, { "content-type": "text/html; charset=utf-8" }),
  );
  app.get("/assets/:name", (context) => asset(context, parts.assets));
  app.get("/api/state", (context) => context.json(parts.live.latest()));
  app.get("/api/stream", (context) => stream(context, parts.live));
  app.get("/api/figures/:component/:name", (context) => figure(context, parts.board));
  app.get("/api/graph/:component", (context) => graph(context, parts.board));
  app.get("/api/span/:component/:trace/:span", (context) => span(context, parts.board));
  app.post("/api/span/:component/:trace/:span/reveal", revealLimit, (context) => reveal(context, parts.board));
  app.post("/api/reload", (context) => reload(context, parts.reload));
  app.notFound((context) => context.text("nothing is served here\n", 404));
  app.onError((error, context) => {
    parts.logger.error({ error: error.message, path: context.req.path }, "The dashboard failed to answer.");
    return context.text("the dashboard failed to answer; its log says why\n", 500);
  });
  return app;
}

/** The verdict, with 422 when the new configuration was refused. */
async function reload(context: Context, attempt: Parts["reload"]): Promise<Response> {
  const verdict = await attempt();
  if (verdict === undefined) return context.notFound();
  return context.json(verdict, verdict.outcome === "refused" ? 422 : 200);
}

function askingOf(context: Context) {
  return {
    method: context.req.method,
    path: context.req.path,
    host: context.req.header("host"),
    origin: context.req.header("origin"),
    fetchSite: context.req.header("sec-fetch-site"),
    fetchMode: context.req.header("sec-fetch-mode"),
  };
}

async function asset(context: Context, assets: Assets): Promise<Response> {
  const found = await assets.find(context.req.param("name") ?? "");
  if (found === undefined) return context.notFound();
  const takesGzip = /\bgzip\b/.test(context.req.header("accept-encoding") ?? "");
  const body = takesGzip ? (found.gzipped ?? found.plain) : found.plain;
  return context.body(new Uint8Array(body), 200, {
    "content-type": found.type,
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
    ...(body === found.gzipped && { "content-encoding": "gzip" }),
  });
}

function stream(context: Context, live: Live): Response {
  const ticks = live.stream();
  if (ticks === undefined) return context.text("too many pages are open\n", 503);
  return context.body(ticks, 200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
}

async function figure(context: Context, board: Board): Promise<Response> {
  const source = board.find("figures", context.req.param("component") ?? "");
  const found = source?.figures().find(({ name }) => name === context.req.param("name"));
  if (found === undefined) return context.notFound();
  const { range, end } = context.req.query();
  const part = range === undefined && end === undefined ? undefined : rangeOf(range, end);
  if (part === "wrong") return context.text("range is a number of seconds, and end a Unix time in seconds\n", 400);
  const tag = `"${[found.version, range, end].filter((one) => one !== undefined).join("-")}"`;
  if (context.req.header("if-none-match") === tag) return context.body(null, 304, { etag: tag });
  const json = part === undefined ? found.json() : await found.jsonOf(part);
  return context.body(new Uint8Array(json), 200, { "content-type": "application/json", etag: tag });
}

/** A year is more than any window. */
const longestRange = 366 * 24 * 3600;

function rangeOf(range: string | undefined, end: string | undefined): TimeRange | "wrong" {
  const isNumber = (text: string) => /^\d{1,12}$/.test(text);
  if (range === undefined || !isNumber(range) || Number(range) < 1 || Number(range) > longestRange) return "wrong";
  if (end === undefined) return { rangeMs: Number(range) * 1000 };
  return isNumber(end) ? { rangeMs: Number(range) * 1000, endUnixMs: Number(end) * 1000 } : "wrong";
}

async function graph(context: Context, board: Board): Promise<Response> {
  const source = board.find("graph", context.req.param("component") ?? "");
  if (source === undefined) return context.notFound();
  const { version } = source;
  const snapshot: GraphSnapshot = { version, ...(await source.snapshot()) };
  return context.json(snapshot);
}

function span(context: Context, board: Board): Response | Promise<Response> {
  const found = findSpan(context, board);
  return found === undefined ? context.notFound() : context.json(found);
}

async function reveal(context: Context, board: Board): Promise<Response> {
  const place = placeOf(await context.req.json().catch(() => undefined));
  if (place === undefined) {
    return context.text('the body must be JSON: { "key": "<attribute>", "of": "span" | "resource" | <event> }\n', 400);
  }
  const found = findSpan(context, board, place.key);
  const field = found && fieldsAt(found, place.of).find(({ key }) => key === place.key);
  if (field?.text === undefined) return context.notFound();
  const revealed: Revealed = { key: field.key, text: field.text };
  return context.json(revealed);
}

function fieldsAt(span: SpanDetail, of: FieldPlace["of"]): readonly SpanField[] {
  if (of === "span") return span.attributes;
  return of === "resource" ? span.resource : (span.events[of]?.attributes ?? []);
}

function findSpan(context: Context, board: Board, revealing?: string): SpanDetail | undefined {
  const { component = "", trace = "", span: id = "" } = context.req.param() as Record<string, string>;
  return board.find("graph", component)?.span(trace, id, revealing);
}

function placeOf(body: unknown): FieldPlace | undefined {
  const { key, of = "span" } = (typeof body === "object" && body !== null ? body : {}) as Partial<FieldPlace>;
  const isKnown = of === "span" || of === "resource" || Number.isInteger(of);
  return typeof key === "string" && isKnown ? { key, of } : undefined;
}
