import assert from "node:assert/strict";
import { check, type Findings, type Row } from "../check.ts";
import { startOtelpipe } from "../otelpipe.ts";
import { attributesOf, comparable, type Item, list, objectOf, plain, readItems } from "../otlp_items.ts";
import * as collector from "../peers/collector.ts";
import * as goSdk from "../peers/go_sdk.ts";
import * as javaSdk from "../peers/java_sdk.ts";
import * as javascriptSdk from "../peers/javascript_sdk.ts";
import * as pythonSdk from "../peers/python_sdk.ts";
import type { SendOptions, Sent } from "../peers/sent.ts";
import { eventually } from "../peers/server.ts";
import { withServers } from "../with_servers.ts";

/**
 * Real SDKs send to otelpipe, which writes a file and sends on to a real Collector, which writes one too. What the
 * programs in `peers/*_sdk/` record is known from their source, so each value is compared.
 */
export const sdks = check({
  name: "sdks",
  area: "Real clients: SDKs",
  needs: ["python_sdk", "go_sdk", "java_sdk", "javascript_sdk", "collector"],
  async run(peers): Promise<Findings> {
    return await withServers(async (started) => {
      const behind = started(await collector.start(peers.collector));
      const config = (ports: collector.CollectorPorts, file: string) => fileAndCollector(ports, file, behind.grpcPort);
      const otelpipe = started(await startOtelpipe(config));
      const sent: { readonly options: SendOptions; readonly said: Sent; readonly language: string }[] = [];
      for (const [language, send] of [
        ["Python", (options: SendOptions) => pythonSdk.send(peers.python_sdk, options)],
        ["Go", (options: SendOptions) => goSdk.send(peers.go_sdk, options)],
        ["Java", (options: SendOptions) => javaSdk.send(peers.java_sdk, options)],
        ["JavaScript", (options: SendOptions) => javascriptSdk.send(peers.javascript_sdk, options)],
      ] as const) {
        for (const options of ways(otelpipe)) {
          const service = `${language}-${options.protocol}-${options.compression}`.toLowerCase();
          sent.push({ options, said: await send({ ...options, service }), language });
        }
      }
      await otelpipe.stop();
      const items = await readItems(otelpipe.outputFile);
      await eventually(async () => (await readItems(behind.outputFile)).length >= items.length || undefined);
      assert.deepEqual(comparable(await readItems(behind.outputFile)), comparable(items));
      return { rows: sent.map(({ options, said, language }) => rowFor(items, options, said, language)) };
    });
  },
});

function ways({ grpcPort, httpPort }: collector.CollectorPorts): SendOptions[] {
  return (["none", "gzip"] as const).flatMap((compression) => [
    { protocol: "grpc", endpoint: `127.0.0.1:${grpcPort}`, compression },
    { protocol: "http", endpoint: `http://127.0.0.1:${httpPort}`, compression },
  ]);
}

function fileAndCollector(ports: collector.CollectorPorts, file: string, collectorPort: number): string {
  return collector
    .receiveToFile(ports, file)
    .replace(
      "exporters:\n",
      `exporters:\n  otlp: { endpoint: "127.0.0.1:${collectorPort}", tls: { insecure: true } }\n`,
    )
    .replaceAll("exporters: [file]", "exporters: [file, otlp]");
}

function rowFor(items: readonly Item[], options: SendOptions, said: Sent, language: string): Row {
  const own = items.filter(({ resource }) => attributesOf(resource)["service.name"] === said.service);
  for (const { resource } of own) {
    assert.deepEqual(attributesOf(resource)["peer.tags"], [language.toLowerCase(), options.protocol]);
  }
  const spans = checkSpans(own, said);
  const points = checkMetrics(own, options, said);
  const records = checkLogs(own, said);
  return {
    peer: `${language} SDK, ${options.protocol === "grpc" ? "gRPC" : "HTTP"}, ${options.compression}`,
    checked: "traces, metrics and logs into otelpipe, its file, and the Collector behind it",
    result: `${spans} spans, ${points} points, ${records} records arrived with equal values`,
  };
}

function checkSpans(own: readonly Item[], said: Sent): number {
  const spans = own.filter(({ signal }) => signal === "traces");
  assert.deepEqual(spans.map(({ item }) => item["spanId"]).sort(), said.spanIds.toSorted());
  for (const { item, scope } of spans) {
    const index = said.spanIds.indexOf(String(item["spanId"]));
    assert.equal(item["traceId"], said.traceId);
    assert.deepEqual([scope["name"], scope["version"]], [`${said.service.split("-", 1)[0]}_sdk`, "1.0.0"]);
    assert.ok(BigInt(String(item["endTimeUnixNano"])) >= BigInt(String(item["startTimeUnixNano"])));
    if (index === 0) {
      assert.deepEqual([item["name"], item["kind"], attributesOf(item)], ["peer root", 2, {}]);
      continue;
    }
    assert.deepEqual([item["name"], item["kind"], item["parentSpanId"]], [`peer child ${index}`, 3, said.spanIds[0]]);
    assert.deepEqual(attributesOf(item), expectedAttributes(index, said.service.startsWith("javascript")));
    const [event, exception] = list(item["events"]);
    assert.deepEqual([event?.["name"], attributesOf(event ?? {})], ["peer event", { text: "zażółć 🚀" }]);
    const status = objectOf(item["status"]);
    if (index === 1) {
      assert.deepEqual([status["code"], status["message"]], [2, "provoked"]);
      assert.equal(attributesOf(exception ?? {})["exception.message"], "provoked");
    } else assert.deepEqual([status, exception], [{}, undefined]);
  }
  return spans.length;
}

/** JavaScript sends a number that is whole as an integer. */
function expectedAttributes(index: number, isJavascript: boolean): Record<string, unknown> {
  const ratio = index / 2;
  return {
    "peer.index": BigInt(index),
    "peer.ratio": isJavascript && Number.isInteger(ratio) ? BigInt(ratio) : ratio,
    "peer.even": index % 2 === 0,
    "peer.numbers": [-1n, 2n ** 53n],
  };
}

function checkMetrics(own: readonly Item[], { protocol }: SendOptions, said: Sent): number {
  const points = own.filter(({ signal }) => signal === "metrics").map(({ item }) => item);
  const named = (name: string) => points.filter(({ metric }) => objectOf(metric)["name"] === name);
  const [sum, ...moreSums] = named("peer.requests").map(({ point }) => objectOf(point));
  const [histogram, ...moreHistograms] = named("peer.request.duration").map(({ point }) => objectOf(point));
  assert.deepEqual([moreSums, moreHistograms], [[], []]);
  assert.equal(Number(sum?.["asInt"]), said.requests);
  assert.equal(Number(histogram?.["count"]), said.requests);
  const seconds = Array.from({ length: said.requests }, (_, index) => 0.01 * (index + 1)).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(Number(histogram?.["sum"]) - seconds) < 1e-9);
  for (const point of [sum, histogram]) assert.deepEqual(attributesOf(point ?? {}), { "peer.protocol": protocol });
  return named("peer.requests").length + named("peer.request.duration").length;
}

function checkLogs(own: readonly Item[], said: Sent): number {
  const records = own.filter(({ signal }) => signal === "logs").map(({ item }) => item);
  assert.equal(records.length, said.requests);
  for (const record of records) {
    const index = said.spanIds.indexOf(String(record["spanId"]));
    assert.deepEqual(
      [record["traceId"], record["severityNumber"], plain(record["body"]), attributesOf(record)],
      [said.traceId, 9, `request ${index}`, { peer: { index: BigInt(index), nested: true } }],
    );
  }
  return records.length;
}
