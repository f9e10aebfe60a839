import assert from "node:assert/strict";
import { describe, it } from "node:test";
import definition from "../../../extensions/health_check/index.ts";
import type { ExtensionHost } from "../../../pipeline/host.ts";
import type { ServiceView } from "../../../pipeline/view.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

type State = ReturnType<ServiceView["state"]>;

async function healthCheck(config: object) {
  let tell: (state: State) => void = () => {};
  const host = simulatedHost();
  const service = {
    onState(listener: (state: State) => void) {
      tell = listener;
      listener("starting");
      return () => (tell = () => {});
    },
  };
  const settings = definition.config.parse({ endpoint: "localhost:0", ...config });
  const lines = host.logs;
  const extension = definition.create(settings, { ...host, service } as unknown as ExtensionHost);
  await extension.start?.();
  const endpoint = lines.find(({ message }) => message.includes("health_check"))?.fields["endpoint"];
  return {
    host,
    get: (path = "/", method = "GET") => fetch(`http://${String(endpoint).split(", ")[0]}${path}`, { method }),
    tell,
    extension,
  };
}

describe("health_check", () => {
  it("is unavailable until everything runs, available then, unavailable again while draining", async () => {
    const { host, get, tell, extension } = await healthCheck({});
    try {
      const before = await get();
      assert.equal(before.status, 503);
      assert.deepEqual(await before.json(), {
        status: "Server not available",
        upSince: "0001-01-01T00:00:00Z",
        uptime: "",
      });
      tell("running");
      host.advance(61_500);
      const running = await get("/any/path", "POST");
      assert.equal(running.status, 200);
      assert.equal(running.headers.get("content-type"), "application/json");
      assert.deepEqual(await running.json(), {
        status: "Server available",
        upSince: "2026-01-01T00:00:00.000Z",
        uptime: "1m1.5s",
      });
      tell("draining");
      assert.equal((await get()).status, 503);
    } finally {
      await extension.stop?.();
    }
  });

  it("answers on its own path only, with the bodies it was given", async () => {
    const { get, tell, extension } = await healthCheck({
      path: "/healthz",
      response_body: { healthy: "fine", unhealthy: "ill" },
    });
    try {
      assert.equal(await (await get("/healthz")).text(), "ill");
      tell("running");
      assert.equal(await (await get("/healthz?full")).text(), "fine");
      assert.equal((await get("/")).status, 404);
    } finally {
      await extension.stop?.();
    }
  });

  for (const { config, message } of [
    { config: { path: "healthz" }, message: /^path must start with \/$/ },
    { config: { endpoint: "" }, message: /^http endpoint required$/ },
    { config: { use_v2: true }, message: /^must specify at least one protocol$/ },
    { config: { http: {} }, message: /^v2 healthcheck configuration .* feature gate is disabled/ },
    { config: { grpc: null }, message: /^v2 healthcheck configuration .* feature gate is disabled/ },
  ]) {
    it(`refuses ${JSON.stringify(config)} as the Collector does`, () => {
      const { error } = definition.config.safeParse(config);
      assert.match(error?.issues[0]?.message ?? "", message);
    });
  }

  it("takes settings that have no effect, as the Collector does", () => {
    const config = {
      check_collector_pipeline: { enabled: true, interval: "often" },
      component_health: { include_permanent_errors: true, recovery_duration: "1m" },
    };
    assert.equal(definition.config.safeParse(config).success, true);
  });
});
