import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CorsSettings, corsHeaders, isPreflight, preflightHeaders } from "../../../pipeline/net/cors.ts";

const off: CorsSettings = { allowed_origins: [], allowed_headers: [], exposed_headers: [], max_age: 0 };
const origin = "https://a.test";

/** What a preflight allows: the Collector's answers, asked side by side (`test/interop/checks/cors.ts`). */
function allowed(settings: Partial<CorsSettings>, asked: { origin?: string; method?: string; headers?: string } = {}) {
  const { origin: from = origin, method = "POST", headers } = asked;
  const { vary, ...others } = preflightHeaders(
    { ...off, allowed_origins: [origin], ...settings },
    {
      origin: from,
      "access-control-request-method": method,
      ...(headers !== undefined && { "access-control-request-headers": headers }),
    },
  );
  assert.equal(vary, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  return others["access-control-allow-origin"];
}

describe("origins", () => {
  for (const { patterns, from, want } of [
    { patterns: [origin], from: "https://A.test", want: "https://A.test" },
    { patterns: ["HTTPS://A.TEST"], from: origin, want: origin },
    { patterns: [origin], from: "http://a.test", want: undefined },
    { patterns: [origin], from: "", want: undefined },
    { patterns: ["*"], from: origin, want: "*" },
    { patterns: [origin, "*"], from: "null", want: "*" },
    { patterns: ["https://*.test"], from: "https://x.y.test", want: "https://x.y.test" },
    { patterns: ["https://*.test"], from: "https://.test", want: "https://.test" },
    { patterns: ["https://*.test"], from: "https://x.test.evil", want: undefined },
    { patterns: ["https://a*a.test"], from: "https://a.test", want: undefined },
    { patterns: ["http://a*b*c"], from: "http://axbxc", want: undefined },
    { patterns: ["http://a*b*c"], from: "http://axb*c", want: "http://axb*c" },
  ]) {
    it(`${from || "no origin"} against ${patterns.join(", ")}`, () => {
      assert.equal(allowed({ allowed_origins: patterns }, { origin: from }), want);
    });
  }
});

describe("headers that are asked for", () => {
  const own = { allowed_headers: ["Traceparent", "baggage"] };
  for (const { settings, headers, isAllowed } of [
    { settings: {}, headers: "accept,content-type,x-requested-with", isAllowed: true },
    { settings: {}, headers: "accept, content-type", isAllowed: true },
    { settings: {}, headers: ",,accept", isAllowed: true },
    { settings: {}, headers: "", isAllowed: true },
    { settings: {}, headers: "traceparent", isAllowed: false },
    { settings: {}, headers: "Content-Type", isAllowed: false },
    { settings: {}, headers: "content-type,accept", isAllowed: false },
    { settings: {}, headers: "accept,accept", isAllowed: false },
    { settings: {}, headers: "accept,  content-type", isAllowed: false },
    { settings: own, headers: "baggage,traceparent", isAllowed: true },
    { settings: own, headers: "content-type", isAllowed: false },
    { settings: { allowed_headers: ["*"] }, headers: "Anything, at all", isAllowed: true },
  ]) {
    it(`${JSON.stringify(headers)} with ${JSON.stringify(settings)}`, () => {
      assert.equal(allowed(settings, { headers }), isAllowed ? origin : undefined);
    });
  }
});

describe("methods", () => {
  for (const [method, isAllowed] of [
    ["POST", true],
    ["GET", true],
    ["HEAD", true],
    ["OPTIONS", true],
    ["PUT", false],
    ["post", false],
  ] as const) {
    it(`${method} is ${isAllowed ? "" : "not "}allowed`, () => {
      assert.equal(allowed({}, { method }), isAllowed ? origin : undefined);
      const answer = corsHeaders({ ...off, allowed_origins: [origin] }, method, { origin });
      assert.equal(answer["access-control-allow-origin"], isAllowed ? origin : undefined);
    });
  }

  it("are asked for by OPTIONS with a method", () => {
    const headers = { "access-control-request-method": "POST" };
    assert.equal(isPreflight({ method: "OPTIONS", headers }), true);
    assert.equal(isPreflight({ method: "POST", headers }), false);
    assert.equal(isPreflight({ method: "OPTIONS", headers: {} }), false);
    assert.equal(isPreflight({ method: "OPTIONS", headers: { "access-control-request-method": "" } }), false);
  });
});

it("a preflight is answered with what it asked for", () => {
  const asked = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "accept, content-type",
  };
  for (const [max_age, said] of [
    [60, "60"],
    [-1, "0"],
  ] as const) {
    assert.deepEqual(preflightHeaders({ ...off, allowed_origins: [origin], max_age }, asked), {
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "accept, content-type",
      "access-control-max-age": said,
    });
  }
});

it("an answer names the headers that scripts may read", () => {
  const cors = { ...off, allowed_origins: [origin], exposed_headers: ["x-request-ID", "etag"] };
  assert.deepEqual(corsHeaders(cors, "POST", { origin }), {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Request-Id, Etag",
  });
});
