import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { check, type Difference, type Findings, type Row } from "../check.ts";
import { corpus } from "../corpus.ts";
import type { Peer } from "../peers/peer.ts";
import { type PipelineParts, sideBySide } from "../side_by_side.ts";

const verbosities = ["basic", "normal", "detailed"] as const;
const signals = ["traces", "metrics", "logs"] as const;

/** What the debug exporter prints of the same requests, byte by byte. */
export const debugText = check({
  name: "debug_text",
  area: "Text of `debug`",
  needs: ["python_sdk", "go_sdk", "collector"],
  async run(peers): Promise<Findings> {
    const pipelines = verbosities.flatMap((verbosity) => signals.map((signal) => pipelineOf(signal, verbosity)));
    const outputs = await sideBySide(peers.collector, pipelines, await corpus(peers));
    const rows: Row[] = [];
    for (const { name } of pipelines) {
      const [ours, theirs] = [await readFile(outputs.ours(name), "utf8"), await readFile(outputs.theirs(name), "utf8")];
      assert.ok(theirs.length > 0, `the Collector printed nothing for ${name}`);
      assert.equal(ours, theirs, name);
      const lines = theirs.split("\n").length - 1;
      const checked = `debug exporter, ${name.replace("_", ", ")}`;
      rows.push({ peer: "Collector, same config", checked, result: `${lines} lines equal byte by byte` });
    }
    return { rows, differences: [await notNumbers(peers.collector)] };
  },
});

/** A map that holds NaN: the one text that is not the Collector's, which writes nothing in its place. */
async function notNumbers(peer: Peer): Promise<Difference> {
  const body = { kvlistValue: { values: [{ key: "k", value: { doubleValue: "NaN" } }] } };
  const json = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] };
  const request = { path: "/v1/logs", contentType: "application/json", body: Buffer.from(JSON.stringify(json)) };
  const outputs = await sideBySide(peer, [pipelineOf("logs", "normal")], [request]);
  const [ours, theirs] = await Promise.all(
    [outputs.ours, outputs.theirs].map((of) => readFile(of("logs_normal"), "utf8")),
  );
  assert.match(theirs ?? "", /\n {2}?\n\n$|\n \n\n$/);
  assert.match(ours ?? "", /\n\{"k":NaN\} \n\n$/);
  return {
    input: "debug exporter: NaN or an infinity within a map or list",
    otelpipe: '{"k":NaN}',
    collector: "nothing in place of the whole map",
    reason: "Go's JSON cannot write it, so the Collector's text lacks the value; ours shows it.",
  };
}

function pipelineOf(signal: (typeof signals)[number], verbosity: (typeof verbosities)[number]): PipelineParts {
  const name = `${signal}_${verbosity}`;
  return {
    name,
    signals: [signal],
    exporter: (file) =>
      `debug/${name}: { verbosity: ${verbosity}, use_internal_logger: false, output_paths: [${JSON.stringify(file)}] }`,
  };
}
