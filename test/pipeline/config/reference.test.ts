import assert from "node:assert/strict";
import { it } from "node:test";
import { exporter } from "../../../pipeline/component.ts";
import { referencePage } from "../../../pipeline/config/reference.ts";
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
