import assert from "node:assert/strict";
import { it } from "node:test";
import { exporter } from "../../../pipeline/component.ts";
import { referenceIndex, referencePage } from "../../../pipeline/config/reference.ts";
import { duration, headers, optionalBlock, secret, z } from "../../../pipeline/config/schema.ts";

const inner = z.strictObject({ size: z.int().default(3).describe("How many.") });

it("describes every setting with its type, default and meaning", () => {
  const page = referencePage(
    exporter({
      type: "sample",
      aliases: ["old"],
      stability: { traces: "alpha" },
      summary: "Shows a page.",
      config: z.strictObject({
        endpoint: z.string().describe("Where to | how to <send>."),
        mode: z.enum(["a", "b"]).default("a"),
        timeout: duration().prefault("90s"),
        token: secret().optional(),
        headers: headers().prefault({}),
        none: optionalBlock(inner, "none"),
        off: optionalBlock(inner, "off").describe("Off by default."),
        on: optionalBlock(inner, "on"),
        list: z.array(z.strictObject({ ratio: z.number() })).default([]),
        map: z.record(z.string(), z.boolean()).default({}),
      }),
      examples: [{ title: "One", yaml: "sample: { endpoint: x }" }],
      traces: () => ({ consume: () => {} }),
    }),
  );
  assert.equal(
    page,
    `# sample exporter

Shows a page.

Older names that still work: \`old\`.

## Stability

| For | Stability |
| --- | --- |
| traces | alpha |

## Settings

| Setting | Type | Default | What it does |
| --- | --- | --- | --- |
| \`endpoint\` | string | required | Where to \\| how to \\<send>. |
| \`mode\` | \`a\`, \`b\` | \`"a"\` |  |
| \`timeout\` | duration | \`1m30s\` |  |
| \`token\` | secret |  |  |
| \`headers\` | headers |  |  |
| \`none\` | block | off |  |
| \`none.size\` | integer | \`3\` | How many. |
| \`off\` | block | off; the key alone turns it on | Off by default. |
| \`off.size\` | integer | \`3\` | How many. |
| \`on\` | block | on |  |
| \`on.size\` | integer | \`3\` | How many. |
| \`list\` | list of blocks | \`[]\` |  |
| \`list[].ratio\` | number | required |  |
| \`map\` | map |  |  |

## Examples

One:

\`\`\`yaml
sample: { endpoint: x }
\`\`\`
`,
  );
});

it("lists components with their names, and their stability by signal or by pair", () => {
  const entry = { aliases: ["old"], summary: "Does a | b.", keys: [] };
  const page = referenceIndex({
    receivers: { sample: { ...entry, stability: { traces: "stable", logs: "alpha" } } },
    processors: {},
    exporters: {},
    connectors: { sample: { ...entry, stability: { traces_to_metrics: "alpha", logs_to_logs: "beta" } } },
    extensions: { sample: { ...entry, aliases: [], stability: { extension: "beta" } } },
  });
  assert.match(
    page,
    /^\| \[`sample`\]\(receiver\/sample.md\), `old` \| Does a \\\| b. \| stable \| {2}\| alpha \| {2}\|$/m,
  );
  assert.match(
    page,
    /^\| \[`sample`\]\(connector\/sample.md\), .* \| traces to metrics: alpha, logs to logs: beta \|$/m,
  );
  assert.match(page, /^\| \[`sample`\]\(extension\/sample.md\) \| .* \| beta \|$/m);
});
