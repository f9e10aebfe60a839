import { Draft } from "../../pipeline/attributes_actions/draft.ts";
import { processor } from "../../pipeline/component.ts";
import { mapData } from "../../pipeline/operators.ts";
import { editSpans, type SpanEditor, type Traces } from "../../pipeline/pdata/index.ts";
import { config, type SourceConfig } from "./config.ts";
import { llamatelemetrySource } from "./llamatelemetry.ts";
import { messageRebuilder } from "./messages.ts";
import { type Source, tableSource } from "./source.ts";
import { builtInTables } from "./tables.ts";

/** Translates the attributes of other LLM instrumentations into OpenTelemetry's GenAI conventions. */
export default processor({
  type: "gen_ai_normalizer",
  aliases: ["genainormalizer"],
  stability: { traces: "alpha" },
  summary:
    "Translates attributes of OpenInference, OpenLLMetry and other LLM instrumentations into the GenAI conventions.",
  config,
  perWorker: true,
  examples: [
    {
      title: "All that an LLM fleet sends",
      yaml: "gen_ai_normalizer: { sources: [{ name: older_gen_ai }, { name: openinference }, { name: openllmetry }, { name: llamatelemetry }] }",
    },
    {
      title: "Names of your own",
      yaml: `gen_ai_normalizer:
  sources:
    - name: in_house
      remove_originals: true
      mappings: { my.model: gen_ai.request.model, my.kind: gen_ai.operation.name }
      value_mappings: { gen_ai.operation.name: { completion: text_completion } }`,
    },
    {
      title: "The form of earlier collectors",
      yaml: "gen_ai_normalizer: { sources: { openinference: {}, openllmetry: { remove_originals: true } } }",
    },
  ],
  traces: ({ sources }, host) => {
    const counter = host.meter.counter("otelpipe_processor_gen_ai_normalizer_spans", {
      description: "Spans that had attributes of a source translated.",
      unit: "{spans}",
    });
    const normalize = normalizer(sources, (source, spans) => counter.add(spans, { source }));
    return mapData(host, normalize);
  },
});

/** Compiles the sources to one pass over a batch. `count` is told, per batch, how many spans each source changed. */
export function normalizer(
  sources: readonly SourceConfig[],
  count: (source: string, spans: number) => void,
): (data: Traces) => Traces {
  const draft = new Draft();
  const compiled = sources.map((source) => compile(source, draft));
  const changed = compiled.map(() => 0);

  function normalizeSpan(span: SpanEditor): void {
    draft.begin(span);
    for (const [index, source] of compiled.entries()) {
      if (source.normalizeSpan(draft, span)) changed[index] = (changed[index] ?? 0) + 1;
    }
    draft.write();
    if (span.eventCount === 0) return;
    span.editEvents((event) => {
      draft.begin(event);
      for (const source of compiled) source.normalizeEvent(draft);
      draft.write();
    });
  }

  return (data) => {
    changed.fill(0);
    const normalized = editSpans(data, normalizeSpan);
    for (const [index, spans] of changed.entries()) if (spans > 0) count(sources[index]!.name, spans);
    return normalized;
  };
}

function compile(source: SourceConfig, draft: Draft): Source {
  const { name, mappings, values } = source;
  const builtIn = builtInTables[name];
  const table = {
    ...builtIn,
    mappings: { ...builtIn?.mappings, ...mappings },
    values: { ...builtIn?.values, ...values },
  };
  if (name === "llamatelemetry") return llamatelemetrySource(source, draft);
  const renaming = tableSource(name, table, source, draft);
  if (name !== "openinference") return renaming;
  const rebuild = messageRebuilder(source, draft);
  return {
    ...renaming,
    normalizeSpan(of, span) {
      const rebuilt = rebuild(of);
      return renaming.normalizeSpan(of, span) || rebuilt;
    },
  };
}
