import { decode, encode, type Traces } from "../../../pipeline/pdata/index.ts";
import definition from "../../../processors/gen_ai_normalizer/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";

export type Plain = string | number | bigint | boolean | readonly string[];
export type PlainMap = Readonly<Record<string, Plain>>;

export interface TestSpan {
  readonly name?: string;
  readonly attributes: PlainMap;
  readonly resource?: PlainMap;
  readonly status?: number;
  readonly events?: readonly { readonly name: string; readonly attributes: PlainMap }[];
}

/** A number is a double; a bigint an int. */
function anyValue(value: Plain): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { doubleValue: value };
  if (typeof value === "bigint") return { intValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
}

function keyValues(map: PlainMap) {
  return Object.entries(map).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function plain(attributes: readonly { key: string; value?: object }[]): PlainMap {
  return Object.fromEntries(
    attributes.map(({ key, value = {} }) => {
      const [held] = Object.values(value);
      if (typeof held !== "object") return [key, held];
      return [key, (held as { values: { stringValue: string }[] }).values.map(({ stringValue }) => stringValue)];
    }),
  );
}

export function tracesOf(spans: readonly TestSpan[]): Traces {
  return encode("traces", {
    resourceSpans: spans.map(({ name = "span", attributes, resource = {}, status = 0, events = [] }) => ({
      resource: { attributes: keyValues(resource) },
      scopeSpans: [
        {
          spans: [
            {
              name,
              attributes: keyValues(attributes),
              status: { code: status },
              events: events.map((event) => ({ name: event.name, attributes: keyValues(event.attributes) })),
            },
          ],
        },
      ],
    })),
  });
}

/** A processor over batches, with what its host was told. */
export function normalizing(sources: unknown) {
  const host = simulatedHost({ id: "gen_ai_normalizer" });
  const operator = definition.traces!(definition.config.parse({ sources }), host);
  const once = (data: Traces): Traces => run(operator, [data]).sent[0]!.data;
  return { once, host };
}

/** The attributes of spans after the processor, each checked to be the same after a second pass. */
export function normalized(sources: unknown, spans: readonly TestSpan[]): PlainMap[] {
  return spansAfter(sources, spans).map(({ attributes }) => plain(attributes));
}

export function eventsAfter(sources: unknown, span: TestSpan): PlainMap[] {
  return spansAfter(sources, [span]).flatMap(({ events }) => events.map(({ attributes }) => plain(attributes)));
}

function spansAfter(sources: unknown, spans: readonly TestSpan[]) {
  const { once } = normalizing(sources);
  return decode<"traces">(once(tracesOf(spans))).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scoped) => scoped.spans),
  );
}
