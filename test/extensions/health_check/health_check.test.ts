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

  it("refuses a path without a slash", () => {
    const { error } = definition.config.safeParse({ path: "healthz" });
    assert.equal(error?.issues[0]?.message, "path must start with /");
  });
});
