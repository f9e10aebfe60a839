import type { SamplerSettings } from "../../config/telemetry/traces.ts";
import type { SpanContext } from "./span_context.ts";

/** Whether the span that begins in `traceId` below `parent` is recorded. */
export type Sampler = (traceId: string, parent: SpanContext | undefined) => boolean;

/** The share that the traces' last 13 hex digits but three stand for: as good as the 63 bits Go compares. */
const shareDigits = 13;

/** @see OpenTelemetry specification: trace SDK, sampler. */
export function samplerOf(settings: SamplerSettings | undefined): Sampler {
  if (settings === undefined) return (_traceId, parent) => parent?.isSampled ?? true;
  switch (settings.type) {
    case "always_on":
      return () => true;
    case "always_off":
      return () => false;
    case "ratio":
      return (traceId) => Number.parseInt(traceId.slice(16, 16 + shareDigits), 16) / 16 ** shareDigits < settings.ratio;
    case "parent_based": {
      const root = samplerOf(settings.root);
      const [remoteOn, remoteOff] = [settings.remote_parent_sampled, settings.remote_parent_not_sampled].map(samplerOf);
      const [localOn, localOff] = [settings.local_parent_sampled, settings.local_parent_not_sampled].map(samplerOf);
      return (traceId, parent) => {
        const [on, off] = parent?.isRemote === true ? [remoteOn, remoteOff] : [localOn, localOff];
        const chosen = parent === undefined ? root : parent.isSampled ? on : off;
        return chosen?.(traceId, parent) ?? true;
      };
    }
  }
}
