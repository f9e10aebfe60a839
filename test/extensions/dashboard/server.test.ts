import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Tick } from "../../../dashboard/wire/messages.ts";
import dashboard, { Dashboard } from "../../../extensions/dashboard/index.ts";
import { dashboardHost, MadeService, makeTraces, startDashboard } from "../../support/dashboard_data.ts";
import { refusedReload } from "../../support/refused_reload.ts";

const spans = makeTraces(20, Date.now());
const secret = "secret prompt";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request whose headers, Host included, are what the test says. */
function ask(url: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const sent = request(
      {
        hostname: hostname.replace(/[[\]]/g, ""),
        port,
        path,
        method,
        headers: { host: `localhost:${port}`, ...headers },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("the dashboard's server", () => {
  let running: Awaited<ReturnType<typeof startDashboard>>;
  let url = "";
  let origin = "";
  before(async () => {
    running = await startDashboard(spans);
    url = running.url;
    origin = url.slice(0, -1);
  });
  after(() => running.stop());

  it("serves the page with its security headers, and never from a cache", async () => {
    const { status, headers, body } = await ask(url, "/");
    assert.equal(status, 200);
    assert.equal(
      headers["content-security-policy"],
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'",
    );
    assert.deepEqual(
      [
        headers["x-content-type-options"],
        headers["referrer-policy"],
        headers["x-frame-options"],
        headers["cache-control"],
      ],
      ["nosniff", "no-referrer", "DENY", "no-store"],
    );
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.doesNotMatch(
      body,
      /<script(?![^>]*src=)|https?:\/\/(?!www\.w3\.org)/,
      "no inline script, nothing from elsewhere",
    );
  });

  it("serves what the page names under names that may be kept for ever, compressed where that helps", async () => {
    const page = await ask(url, "/");
    const names = [...page.body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
    assert.equal(names.length, 4);
    for (const name of names) {
      const { status, headers } = await ask(url, name, { "accept-encoding": "gzip" });
      assert.equal(status, 200, name);
      assert.match(headers["cache-control"] ?? "", /max-age=31536000, immutable/);
      assert.equal(headers["content-encoding"], name.endsWith(".woff2") ? undefined : "gzip", name);
      assert.match(headers["content-type"] ?? "", /^(text\/javascript|text\/css|font\/woff2)/);
    }
  });

  for (const path of [
    "/assets/manifest.json",
    "/assets/..%2fmanifest.json",
    "/assets/__proto__",
    "/api/",
    "/x",
    "/api/figures/plotly/x",
    "/api/graph/x",
  ]) {
    it(`has nothing at ${path}`, async () => assert.equal((await ask(url, path)).status, 404));
  }

  for (const { name, headers, why } of [
    {
      name: "a name rebound to this machine",
      headers: { host: "evil.example" },
      why: /^host "evil.example" is not a name/,
    },
    {
      name: "another site's script",
      headers: { origin: "https://evil.example" },
      why: /^origin "https:\/\/evil.example" is another/,
    },
    { name: "another site's picture tag", headers: { "sec-fetch-site": "cross-site" }, why: /^a cross-site request/ },
  ]) {
    it(`refuses ${name} everywhere, in one line, with the same headers`, async () => {
      for (const path of ["/api/state", "/api/stream", "/api/graph/graphistry", "/assets/x.js"]) {
        const answer = await ask(url, path, headers);
        assert.equal(answer.status, 403);
        assert.match(answer.body, why);
        assert.equal(answer.body.trim().split("\n").length, 1);
        assert.ok(answer.headers["content-security-policy"]);
      }
    });
  }

  it("answers at every address localhost stands for", async () => {
    for (const address of running.dashboard.addresses) {
      const { status } = await ask(`http://${address}`, "/api/state", { host: address });
      assert.equal(status, 200, address);
    }
    assert.ok(running.dashboard.addresses.some((address) => address.startsWith("127.0.0.1:")));
  });

  it("tells the state as JSON", async () => {
    running.service.flow(100, 7);
    const tick = JSON.parse((await ask(url, "/api/state")).body) as Tick;
    assert.equal(tick.nodes.length, 12);
    assert.equal(tick.edges.length, 11);
    assert.deepEqual(
      tick.figures.map(({ name }) => name),
      ["request_latency", "tokens_over_time", "input_against_output", "request_rate"],
    );
    assert.equal(tick.graph?.component, "graphistry");
    assert.deepEqual(tick.configSources, ["configs/quickstart.yaml"]);
  });

  // Scenario: a page reads the stream for two ticks.
  // Guarantees: server-sent events, the first at once; each a whole state, so a missed one does not matter.
  it("streams ticks as server-sent events until the page goes", async () => {
    const stop = new AbortController();
    const response = await fetch(`${url}api/stream`, { signal: stop.signal });
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of response.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true });
      if (text.split("event: tick").length > 2 && text.endsWith("\n\n")) break;
    }
    stop.abort();
    const events = text.split("\n\n").filter((event) => event !== "");
    assert.equal(events[0], "retry: 3000");
    const ticks = events.slice(1).map((event) => {
      const [type, data] = event.split("\n");
      assert.equal(type, "event: tick");
      return JSON.parse((data ?? "").slice("data: ".length)) as Tick;
    });
    assert.ok((ticks[1]?.unixMs ?? 0) > (ticks[0]?.unixMs ?? 0));
    assert.deepEqual(Object.keys(ticks[1] ?? {}), Object.keys(ticks[0] ?? {}));
  });

  it("gives a figure with its version as the tag", async () => {
    const first = await ask(url, "/api/figures/plotly/request_latency");
    assert.equal(first.status, 200);
    assert.ok(Array.isArray((JSON.parse(first.body) as { data: unknown }).data));
    const again = await ask(url, "/api/figures/plotly/request_latency", { "if-none-match": first.headers.etag ?? "" });
    assert.deepEqual([again.status, again.body], [304, ""]);
  });

  it("gives a figure of a part of its time", async () => {
    const meta = async (query: string) => {
      const { status, body } = await ask(url, `/api/figures/plotly/request_rate${query}`);
      assert.equal(status, 200, body);
      return (JSON.parse(body) as { layout: { meta: { requests: number; from: string; to: string } } }).layout.meta;
    };
    const whole = await meta("");
    const part = await meta("?range=300");
    const starts = spans
      .filter((span) => span.attributes["gen_ai.operation.name"] === "chat")
      .map((span) => span.startUnixMs);
    assert.equal(part.requests, starts.filter((start) => start >= Date.parse(part.from)).length);
    assert.ok(part.requests < whole.requests);
    const past = await meta(`?range=300&end=${Math.floor(Date.parse(part.from) / 1000)}`);
    const [from, to] = [Date.parse(past.from), Date.parse(past.to)];
    assert.equal(past.requests, starts.filter((start) => start >= from && start <= to).length);
  });

  for (const query of ["?range=0", "?range=x", "?range=1e3", "?end=5", "?range=60&end=now", "?range=99999999"]) {
    it(`refuses a figure of ${query}`, async () => {
      const { status, body } = await ask(url, `/api/figures/plotly/request_rate${query}`);
      assert.deepEqual([status, body], [400, "range is a number of seconds, and end a Unix time in seconds\n"]);
    });
  }

  it("finds components whose ids have a slash", async () => {
    const withdraw = running.board.publish("graph", "graphistry/a b", running.graph);
    assert.equal((await ask(url, "/api/graph/graphistry%2Fa%20b")).status, 200);
    withdraw();
  });

  it("has masked text in no answer until that one attribute of that one span is asked for", async () => {
    const span = spans.find((one) => "gen_ai.input.messages" in one.attributes);
    const path = `/api/span/graphistry/${span?.traceId}/${span?.spanId}`;
    for (const any of ["/", "/api/state", "/api/graph/graphistry", path, "/api/figures/plotly/input_against_output"]) {
      assert.ok(!(await ask(url, any)).body.includes(secret), any);
    }
    const headers = { origin, "content-type": "application/json" };
    const revealed = await ask(url, `${path}/reveal`, headers, JSON.stringify({ key: "gen_ai.input.messages" }));
    assert.equal(revealed.status, 200);
    const text = span?.attributes["gen_ai.input.messages"];
    assert.deepEqual(JSON.parse(revealed.body), { key: "gen_ai.input.messages", text });
    assert.ok(!(await ask(url, path)).body.includes(secret), "masked again afterwards");
  });

  for (const { name, headers, body, status } of [
    { name: "without an origin", headers: {}, body: '{"key":"gen_ai.input.messages"}', status: 403 },
    {
      name: "of another site",
      headers: { origin: "https://evil.example" },
      body: '{"key":"gen_ai.input.messages"}',
      status: 403,
    },
    { name: "of no attribute", headers: undefined, body: "{}", status: 400 },
    { name: "that is not JSON", headers: undefined, body: "key=x", status: 400 },
    { name: "of an attribute the span has not", headers: undefined, body: '{"key":"__proto__"}', status: 404 },
    { name: "as long as a book", headers: undefined, body: JSON.stringify({ key: "x".repeat(100_000) }), status: 413 },
  ]) {
    it(`refuses a request for text ${name}`, async () => {
      const span = spans.find((one) => "gen_ai.input.messages" in one.attributes);
      const path = `/api/span/graphistry/${span?.traceId}/${span?.spanId}/reveal`;
      const answer = await ask(url, path, headers ?? { origin }, body);
      assert.equal(answer.status, status);
      assert.ok(!answer.body.includes(secret));
    });
  }

  it("reloads the configuration when its own page asks, and answers the verdict", async () => {
    const verdict = { ...refusedReload, outcome: "applied" as const, rebuilt: ["receiver:otlp"], problems: [] };
    running.service.reload = async () => verdict;
    const applied = await ask(url, "/api/reload", { origin }, "");
    assert.deepEqual([applied.status, JSON.parse(applied.body)], [200, verdict]);
  });

  for (const { name, headers, status } of [
    { name: "that names no origin", headers: {}, status: 403 },
    { name: "from another site", headers: { origin: "http://evil.example" }, status: 403 },
    { name: "for another host", headers: { host: "evil.example", origin: "http://evil.example" }, status: 403 },
  ]) {
    it(`refuses a request to reload ${name}`, async () => {
      const answer = await ask(url, "/api/reload", headers as Record<string, string>, "");
      assert.equal(answer.status, status);
    });
  }

  it("answers 422 with every problem when the new configuration is refused", async (test) => {
    const other = await startDashboard([]);
    test.after(() => other.stop());
    other.service.reload = async () => refusedReload;
    const answer = await ask(other.url, "/api/reload", { origin: other.url.slice(0, -1) }, "");
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [422, refusedReload]);
  });

  it("tells the verdict also when the reload replaces the dashboard itself", async () => {
    const other = await startDashboard([]);
    await ask(other.url, "/api/state");
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { promise: verdict, resolve: decide } = Promise.withResolvers<typeof refusedReload>();
    other.service.reload = () => {
      resolve();
      return verdict;
    };
    const answer = ask(other.url, "/api/reload", { origin: other.url.slice(0, -1) }, "");
    await asked;
    const stopped = other.stop();
    decide(refusedReload);
    assert.equal((await answer).status, 422);
    await stopped;
  });

  it("answers 500 without a word of the error when a component fails, logs it, and goes on", async () => {
    const broken = { figures: () => [{ name: "x", title: "x", version: 1, json: () => assert.fail("inner detail") }] };
    const withdraw = running.board.publish("figures", "broken", broken as never);
    const answer = await ask(url, "/api/figures/broken/x");
    withdraw();
    assert.equal(answer.status, 500);
    assert.ok(!answer.body.includes("inner detail"));
    assert.ok(running.logs.some(({ level, fields }) => level === "error" && fields["error"] === "inner detail"));
    assert.equal((await ask(url, "/api/state")).status, 200);
  });

  it("names the endpoint in one line when its port is taken", async () => {
    const endpoint = `localhost:${new URL(url).port}`;
    const { host } = dashboardHost(new MadeService(0));
    const second = new Dashboard({ endpoint, figures: undefined, graph: undefined }, host);
    await assert.rejects(second.start(), { message: `cannot listen on ${endpoint}: address already in use` });
    await second.stop();
  });
});

describe("the dashboard extension", () => {
  it("may be started and stopped twice, and leaves nothing open", async () => {
    const { dashboard: page, url, stop } = await startDashboard([]);
    await page.start();
    const stream = await fetch(`${url}api/stream`);
    await stop();
    await stop();
    await assert.doesNotReject(
      stream.text().catch(() => "cut"),
      "the stream ends",
    );
    const { port } = new URL(url);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
      connect(Number(port), "127.0.0.1").on("error", resolve),
    );
    assert.equal(error.code, "ECONNREFUSED");
  });

  it("listens on localhost:13140 by default", () => {
    assert.equal(dashboard.config.parse({}).endpoint, "localhost:13140");
  });
});
