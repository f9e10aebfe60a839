import assert from "node:assert/strict";
import { it } from "node:test";
import nop from "../../../exporters/nop/index.ts";
import { accept, collector, testGraph } from "../../support/test_graph.ts";
import { someSpans } from "../../support/traces.ts";

it("the nop exporter takes everything, and counts it as delivered", () => {
  const other = collector(accept);
  const { offer, books } = testGraph({
    exporters: { nop: (host) => nop.traces!({}, host), other: other.create },
    pipelines: { traces: { receivers: ["in"], exporters: ["nop", "other"] } },
  });
  assert.deepEqual(offer(someSpans(3)), ["ack"]);
  assert.deepEqual(books("exporter:traces:nop"), { in: 3, out: 3, refused: 0, held: 0, dropped: {} });
});
