import { parts, type Requirement } from "../test/e2e/otlp_specification/requirements.ts";

const head = `# OTLP conformance

What the OTLP specification 1.11 asks of servers and clients, in our words, and the test that shows it: each has the name of its
row and runs the real receiver or exporter over a socket. The specification is
[\`docs/specification.md\`](https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md) of opentelemetry-proto.

Where the Collector does something else, so does otelpipe. One setting lets the specification's word count:

\`\`\`yaml
receivers:
  otlp:
    protocols:
      http:
        conformance: specification # default: collector
\`\`\`

Both are tested. What is recommended and not done: requests that are sent have no limit of their own size (\`sending_queue::batch\`
has one), and answers of bad data carry no \`BadRequest\` details, as the Collector's do not.
`;

/** The page that says which test shows what of the specification. */
export function conformancePage(): string {
  const tables = parts.map(({ title, file, rows }) => {
    const lines = Object.entries<Requirement>(rows).map(
      ([name, { section, level, asks, collector }]) =>
        `| ${section} | ${level} | ${asks} | ${collector === undefined ? "" : collector} | ${name} |`,
    );
    return `\n## ${title}\n\nTests: [\`${file}\`](../${file})\n\n| section | level | what is asked | by default instead | test |\n|---|---|---|---|---|\n${lines.join("\n")}\n`;
  });
  return head + tables.join("");
}
