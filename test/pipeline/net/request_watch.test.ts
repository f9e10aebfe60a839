import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  watchHttpClient,
  watchHttpServer,
  watchRpcClient,
  watchRpcServer,
} from "../../../pipeline/net/request_watch.ts";
import type { RequestHead } from "../../../pipeline/net/transport.ts";
import { MetricRegistry } from "../../../pipeline/telemetry/meter.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";

const rpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

function head(path: string, headers: Readonly<Record<string, string>>): RequestHead {
  const client = { address: "10.0.0.7:5000", transport: "http" } as const;
  return { method: "POST", path, client, header: (name) => headers[name] };
}

function watcher(level: "normal" | "detailed" = "detailed") {
  const clock = new SimulatedClock();
  const registry = new MetricRegistry(level);
  const requests = registry.measures("detailed") ? registry.meter({}) : undefined;
  const surroundings = { clock, requests, userAgent: "test" };
  const seen = () =>
    [...registry.samples()].map(({ name, unit, labels, value, buckets }) => ({
      name,
      unit,
      labels,
      value,
      count: buckets?.counts.reduce((left, right) => left + right, 0),
    }));
  return { clock, surroundings, seen };
}

describe("requests at level detailed", () => {
  it("that come in over HTTP are measured by route, status and the host they asked for", () => {
    const { clock, surroundings, seen } = watcher();
    const asked = head("/v1/traces", { host: "localhost:4318", "content-length": "120" });
    const watched = watchHttpServer(surroundings, asked, false, "1.1");
    clock.advance(250);
    watched?.end(200, 21);
    const labels = {
      "server.address": "localhost",
      "server.port": "4318",
      "http.request.method": "POST",
      "http.response.status_code": "200",
      "network.protocol.name": "http",
      "network.protocol.version": "1.1",
      "url.scheme": "http",
      "http.route": "/v1/traces",
    };
    assert.deepEqual(seen(), [
      { name: "http.server.request.duration", unit: "s", labels, value: 0.25, count: 1 },
      { name: "http.server.request.body.size", unit: "By", labels, value: 120, count: 1 },
      { name: "http.server.response.body.size", unit: "By", labels, value: 21, count: 1 },
    ]);
  });

  it("have no route where nothing is", () => {
    const { surroundings, seen } = watcher();
    watchHttpServer(surroundings, head("/made/up", {}), true, "2")?.end(404, 19);
    assert.ok(seen().every(({ labels }) => !("http.route" in labels) && labels["url.scheme"] === "https"));
  });

  it("that go out over HTTP are measured by the server, with a status when there was an answer", () => {
    const { surroundings, seen } = watcher();
    watchHttpClient(surroundings, undefined, new URL("https://example.com/v1/logs"), 70)?.end(undefined, "cut off");
    const [duration, size] = seen();
    assert.equal(duration?.name, "http.client.request.duration");
    assert.deepEqual(size, { ...size, name: "http.client.request.body.size", value: 70 });
    const { "server.address": address, "server.port": port, "http.response.status_code": status } = size?.labels ?? {};
    assert.deepEqual([address, port, status], ["example.com", "443", undefined]);
  });

  it("over gRPC are measured by method and status, those that go out by the server too", () => {
    const { surroundings, seen } = watcher();
    watchRpcServer(surroundings, head(rpcPath, {}), "127.0.0.1:4317")?.end(undefined);
    watchRpcClient(surroundings, undefined, rpcPath, "backend:4317")?.end({ code: 3, message: "no" });
    watchRpcServer(surroundings, head(rpcPath, {}), "")?.end({ code: 1, message: "" });
    const rpc = { "rpc.method": rpcPath.slice(1), "rpc.system.name": "grpc" };
    assert.deepEqual(
      seen().map(({ name, labels }) => ({ name, labels })),
      [
        { name: "rpc.server.call.duration", labels: { ...rpc, "rpc.response.status_code": "OK" } },
        { name: "rpc.server.call.duration", labels: { ...rpc, "rpc.response.status_code": "CANCELLED" } },
        {
          name: "rpc.client.call.duration",
          labels: {
            ...rpc,
            "server.address": "backend",
            "server.port": "4317",
            "rpc.response.status_code": "INVALID_ARGUMENT",
          },
        },
      ],
    );
  });

  it("are not watched at other levels without own spans", () => {
    const { surroundings } = watcher("normal");
    const client = { address: "", transport: "internal" } as const;
    assert.equal(watchHttpServer(surroundings, head("/", {}), false, "1.1"), undefined);
    assert.equal(watchRpcServer(surroundings, head(rpcPath, {}), ""), undefined);
    assert.equal(watchHttpClient(surroundings, client, new URL("http://a"), 1), undefined);
    assert.equal(watchRpcClient(surroundings, client, rpcPath, "a:1"), undefined);
  });
});
