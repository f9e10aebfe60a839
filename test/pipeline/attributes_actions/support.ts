import { ok } from "node:assert/strict";
import { actionList } from "../../../pipeline/attributes_actions/config.ts";
import { compileActions } from "../../../pipeline/attributes_actions/program.ts";
import type { ClientInfo } from "../../../pipeline/delivery.ts";
import { type Decoded, type DeepPartial, decode, editSpans, encode } from "../../../pipeline/pdata/index.ts";

export type AnyValue = Readonly<Record<string, unknown>>;
export type AttributeMap = Readonly<Record<string, AnyValue>>;

const anonymous: ClientInfo = { address: "", transport: "internal" };

/** Messages of what is wrong with a list of actions. */
export function problems(actions: readonly object[]): string[] {
  const result = actionList.safeParse(actions);
  return result.success ? [] : result.error.issues.map(({ message }) => message);
}

/** The attributes of every span after the actions. */
export function acted(actions: readonly object[], spans: readonly AttributeMap[], client = anonymous): AttributeMap[] {
  const program = compileActions(actionList.parse(actions));
  const edited = editSpans(tracesOf(spans), (span) => program.run(span, client));
  return attributesOf(decode<"traces">(edited));
}

export function tracesOf(spans: readonly AttributeMap[]) {
  const request = {
    resourceSpans: [{ scopeSpans: [{ spans: spans.map((map) => ({ attributes: keyValues(map) })) }] }],
  };
  return encode("traces", request as DeepPartial<Decoded["traces"]>);
}

export function keyValues(map: AttributeMap) {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

export function attributesOf(request: Decoded["traces"]): AttributeMap[] {
  const spans = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scoped) => scoped.spans));
  return spans.map(({ attributes }) => mapOf(attributes));
}

export function mapOf(attributes: readonly { key: string; value?: object }[]): AttributeMap {
  const keys = attributes.map(({ key }) => key);
  ok(new Set(keys).size === keys.length, `a key occurs twice: ${keys.join(", ")}`);
  return Object.fromEntries(attributes.map(({ key, value = {} }) => [key, { ...value }]));
}

export const text = (stringValue: string) => ({ stringValue });
export const int = (value: number | bigint) => ({ intValue: BigInt(value) });
export const dbl = (doubleValue: number) => ({ doubleValue });
export const bool = (boolValue: boolean) => ({ boolValue });
