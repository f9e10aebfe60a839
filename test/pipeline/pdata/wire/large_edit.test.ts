import assert from "node:assert/strict";
import { it } from "node:test";
import { attributeKeys, decode, editSpans } from "../../../../pipeline/pdata/index.ts";
import { someSpans } from "../../../support/traces.ts";

// Scenario: computed values are set on so many spans that the space for new bytes has to grow in the middle of a set.
// Guarantees: every span has its own value.
it("sets computed values on many spans in one edit", () => {
  const keys = attributeKeys({ computed: "computed" });
  const edited = editSpans(someSpans(2000), (span) => span.set(keys.computed, `value of ${span.name}`));
  const spans = decode(edited).resourceSpans[0]!.scopeSpans[0]!.spans;
  assert.deepEqual(
    spans.map((span) => span.attributes[0]!.value?.stringValue),
    spans.map((span) => `value of ${span.name}`),
  );
});
