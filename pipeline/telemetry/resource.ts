import type { Labels } from "../host.ts";

/** A value of an attribute of the own resource. */
export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[];

/** Whom own telemetry is about: attributes by name, sorted by name. */
export type Resource = Readonly<Record<string, AttributeValue>>;

/** `service::telemetry::resource`, decoded. */
export interface ResourceSettings {
  /** Attributes to add; null takes a default away. */
  readonly attributes: Readonly<Record<string, AttributeValue | null>>;
  readonly detectors: readonly Detector[];
  /** Which of the attributes that detectors find are kept: names, with * and ?. */
  readonly kept?: {
    readonly included?: readonly string[] | undefined;
    readonly excluded?: readonly string[] | undefined;
  };
}

/** A source of attributes: the service is always known. */
export type Detector = "container" | "host" | "process" | "service";

/**
 * The resource of the own telemetry: the service's name, version and a random instance id, then what the detectors found,
 * then what the settings say.
 */
export async function ownResource(
  { attributes, detectors, kept = {} }: ResourceSettings,
  build: { readonly command: string; readonly version: string },
  random: () => number,
): Promise<Resource> {
  const detected =
    detectors.length === 0 ? {} : (await import("./resource_detectors.ts")).detect(detectors, build, kept);
  const defaults = {
    "service.instance.id": randomUuid(random),
    "service.name": build.command,
    "service.version": build.version,
  };
  const all: Record<string, AttributeValue | null> = { ...detected, ...defaults, ...attributes };
  const present = Object.entries(all).filter((entry): entry is [string, AttributeValue] => entry[1] !== null);
  return Object.fromEntries(present.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The attributes as text: labels of `target_info`. */
export function resourceLabels(resource: Resource): Labels {
  const text = (value: AttributeValue) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return Object.fromEntries(Object.entries(resource).map(([name, value]) => [name, text(value)]));
}

/** A UUID of version 4. It names this process among others of its kind, no more: it is not a secret. */
function randomUuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, (_, index) => {
    if (index === 12) return "4";
    const digit = Math.floor(random() * 16);
    return (index === 16 ? (digit & 3) | 8 : digit).toString(16);
  }).join("");
  return [0, 8, 12, 16, 20].map((start, part) => hex.slice(start, [8, 12, 16, 20, 32][part])).join("-");
}
