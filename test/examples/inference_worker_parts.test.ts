import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { isLocal, parseGpus } from "../../examples/inference-worker/gpu.ts";
import { addressOf } from "../../examples/inference-worker/openai.ts";
import { contextTokens } from "../../examples/inference-worker/server_facts.ts";
import { readEvents } from "../../examples/inference-worker/server_sent_events.ts";

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe("small parts", () => {
  it("finds the endpoint of a base with and without /v1", () => {
    for (const base of ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"]) {
      assert.equal(addressOf(base, "/v1/models"), "http://h:1/v1/models");
    }
  });

  it("reads events however the bytes are cut", async () => {
    const bytes = Buffer.from(": comment\r\ndata: é1\r\n\r\nevent: x\ndata:2\ndata: 3\n\ndata: last");
    for (let size = 1; size <= bytes.length; size += 1) {
      const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const body = (async function* () {
        yield* cut;
      })();
      assert.deepEqual(await collect(readEvents(body)), ["é1", "2\n3", "last"], `pieces of ${size} bytes`);
    }
  });

  it("describes one GPU fully, several only by what is certain, and none not at all", () => {
    const t4 = "0, GPU-aaa, Tesla T4, 15360, 7.5, 535.1";
    const unknown = "1, GPU-bbb, Tesla T4, [N/A], 7.5, 535.1";
    assert.deepEqual(parseGpus(t4, undefined), {
      "gpu.count": 1,
      "gpu.model": "Tesla T4",
      "gpu.memory.total": 15360,
      "gpu.compute_capability": "7.5",
      "gpu.driver_version": "535.1",
      "gpu.uuid": "GPU-aaa",
      "hw.id": "GPU-aaa",
      "hw.name": "gpu0",
      "hw.model": "Tesla T4",
    });
    assert.equal(parseGpus(`${t4}\n${unknown}\n`, "0")["hw.id"], undefined);
    const visible = parseGpus(`${t4}\n${unknown}\n`, "GPU-bbb");
    assert.equal(visible["hw.id"], "GPU-bbb");
    assert.ok(!("gpu.memory.total" in visible));
    assert.deepEqual(parseGpus("", undefined), {});
  });

  it("claims this host's GPUs only for a server on this host", () => {
    assert.deepEqual(["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://gpu-box:1"].map(isLocal), [
      true,
      true,
      true,
      false,
    ]);
  });

  // Scenario: llama-server as a router has a context only for a model that is named; on its own it ignores the name.
  // Guarantees: a prompt that shall overflow the context is planned for the right one.
  it("asks how much the model can hold, also behind a router", async (test) => {
    const answers: Record<string, number> = { "/props?model=a%2Fb": 512, "/props?model=unloaded": 0 };
    const server = createServer(({ url = "" }, response) => {
      const n_ctx = answers[url];
      if (n_ctx === undefined) response.writeHead(404).end();
      else response.end(JSON.stringify({ default_generation_settings: { n_ctx } }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const models = ["a/b", "unloaded", "not there"];
    assert.deepEqual(await Promise.all(models.map((model) => contextTokens(url, model))), [512, 200_000, 200_000]);
  });
});
