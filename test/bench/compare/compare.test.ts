import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { grpcStatusIsOk } from "../../../bench/compare/connections.ts";
import { countItems } from "../../../bench/compare/count.ts";
import { FrameReader } from "../../../bench/compare/http2.ts";
import { Bench } from "../../../bench/compare/measure.ts";
import { requests } from "../../../bench/compare/payloads.ts";
import { summary, table } from "../../../bench/compare/report.ts";
import { chosen } from "../../../bench/compare/scenarios.ts";
import { Flag, FrameType, frame } from "../../../pipeline/net/http2/frames.ts";
import { root } from "../../../scripts/root.ts";

describe("the comparison with other daemons", () => {
  const program = { name: "otelpipe", version: "", command: process.execPath, args: [join(root, "bin/otelpipe.js")] };
  const options = { skip: process.platform === "linux" ? false : "reads what Linux tells of processes" };
  let bench: Bench;
  before(async () => {
    if (!options.skip) bench = await Bench.open();
  });
  after(async () => {
    if (!options.skip) await bench.close();
  });

  // Scenario: seconds of load through otelpipe alone, with each protocol and each way of compressing.
  // Guarantees: all that was answered arrives (else `measure` throws), and the report has every column.
  for (const name of ["traces_grpc_zstd", "traces_http_gzip", "metrics_none"]) {
    it(`runs ${name} and reports it`, options, async () => {
      const [scenario] = chosen([name]);
      assert.ok(scenario !== undefined);
      const measured = await bench.measure(program, scenario, { warmupMs: 200, windowMs: 400 });
      assert.equal(measured.arrived, measured.sent);
      assert.equal(measured.refused, 0);
      assert.ok(measured.residentMb > 0);
      const [head, , row] = table([summary(scenario, new Map([[program.name, [measured]]]))]).split("\n");
      assert.equal(row?.split("|").length, head?.split("|").length);
      assert.ok(row?.startsWith(`| ${name} | otelpipe | `), row);
    });
  }
});

describe("counting at the sink", () => {
  for (const [signal, items] of [
    ["traces", 1],
    ["traces", 50],
    ["logs", 7],
    ["metrics", 123],
  ] as const) {
    it(`finds ${items} items of ${signal}`, () => {
      for (const request of requests({ signal, itemBytes: 400, items }, "none"))
        assert.equal(countItems(signal, request), items);
    });
  }
});

it("reads the same frames however their bytes are cut", () => {
  const bytes = Buffer.concat([
    frame(FrameType.settings, Flag.ack, 0),
    frame(FrameType.data, 0, 1, Buffer.from("one ")),
    frame(FrameType.ping, 0, 0, Buffer.from("12345678")),
    frame(FrameType.data, Flag.endStream, 1, Buffer.from("body")),
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames: [number, number, string][] = [];
    let body = "";
    let ended = 0;
    const reader = new FrameReader({
      onData(_streamId, piece, last) {
        body += piece.toString();
        if (last) ended += 1;
      },
      onFrame: (type, flag, _streamId, payload) => void frames.push([type, flag, payload.toString()]),
    });
    reader.read(bytes.subarray(0, cut));
    reader.read(bytes.subarray(cut));
    assert.deepEqual([body, ended], ["one body", 1]);
    assert.deepEqual(frames, [
      [FrameType.settings, Flag.ack, ""],
      [FrameType.ping, 0, "12345678"],
    ]);
  }
});

describe("the status of a call", () => {
  for (const { hex, ok } of [
    { hex: "408b677270632d7374617475730130", ok: true },
    { hex: "40889acac8b21234da8f0130", ok: true },
    { hex: "40889acac8b21234da8f8107", ok: true },
    { hex: "40889acac8b21234da8f023134", ok: false },
    { hex: "40889acac8b21234da8f0138", ok: false },
  ]) {
    it(`is ${ok ? "" : "not "}success in ${hex}`, () => assert.equal(grpcStatusIsOk(Buffer.from(hex, "hex")), ok));
  }
});
