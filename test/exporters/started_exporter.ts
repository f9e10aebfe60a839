import type { Exporter, ExporterDefinition } from "../../pipeline/component.ts";
import type { ConsumeError } from "../../pipeline/delivery.ts";
import type { Pdata, Signal } from "../../pipeline/pdata/index.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import { grpcEngineGates } from "../pipeline/net/servers.ts";
import { batches } from "../support/otlp_batches.ts";
import { recordedDelivery, simulatedHost } from "../support/simulated_host.ts";
import { eventually } from "../support/turns.ts";

/**
 * An exporter that has started, without queue and retry unless `settings` say otherwise, on real time; whoever asks
 * for it stops it. `send` resolves with the answer to one delivery.
 */
export async function startedExporter(definition: ExporterDefinition, settings: object, signal: Signal = "traces") {
  const host = Object.assign(simulatedHost({ id: definition.type, signal, gates: grpcEngineGates() }), {
    clock: systemClock,
  });
  const config = definition.config.parse({
    sending_queue: { enabled: false },
    retry_on_failure: { enabled: false },
    ...settings,
  });
  const exporter = definition[signal]?.(config, host as never) as Exporter<Pdata>;
  await exporter.start?.();
  const send = async (data: Pdata = batches[signal]) => {
    const { delivery, answers } = recordedDelivery(data);
    exporter.consume(delivery);
    await eventually(() => answers.length > 0);
    return answers[0] as "ack" | ConsumeError;
  };
  return { host, exporter, send };
}
