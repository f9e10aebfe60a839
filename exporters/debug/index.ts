import { type Exporter, exporter } from "../../pipeline/component.ts";
import { acrossFields, choice, z } from "../../pipeline/config/schema.ts";
import { queuedExporter } from "../../pipeline/export/queued_exporter.ts";
import type { Attempt } from "../../pipeline/export/sender.ts";
import { neverAgain, queueSettings } from "../../pipeline/export/settings.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import type { ExporterHost } from "../../pipeline/host.ts";
import { type Decoded, decode, type PdataOf } from "../../pipeline/pdata/index.ts";
import { Numbering } from "./numbering.ts";
import { outputOf } from "./output.ts";
import { type Printed, printed } from "./summary.ts";
import { isOneStep, textInSteps } from "./text_in_steps.ts";
import { loggerWriter, outputWriter, type Writer } from "./writer.ts";

const config = z
  .strictObject({
    verbosity: choice(["basic", "normal", "detailed"])
      .prefault("basic")
      .describe("basic: counts of every batch; normal: one line per item as well; detailed: every field."),
    sampling_initial: z.int().min(0).default(2).describe("Messages of the same text that are written in a second."),
    sampling_thereafter: z
      .int()
      .min(0)
      .default(1)
      .describe("Of further ones, every how manyth is written; 1 is all, 0 none."),
    use_internal_logger: z
      .boolean()
      .default(true)
      .describe("Whether messages are lines of the service's log. If not, they go to output_paths as they are."),
    output_paths: z
      .array(z.string())
      .nullable()
      .default(null)
      .describe("stdout, stderr or files that are appended to; stdout when not given."),
    sending_queue: queueSettings()
      .prefault({ enabled: false })
      .describe("Holds data until it is printed; off by default."),
  })
  .check(
    acrossFields(({ use_internal_logger, output_paths }, context) => {
      const refuse = (message: string) => context.addIssue({ code: "custom", path: ["output_paths"], message });
      if (use_internal_logger && output_paths !== null) {
        refuse("output_paths is not supported when use_internal_logger is true");
      } else if (output_paths?.length === 0) refuse("output_paths must not be empty when use_internal_logger is false");
    }),
  );

type Config = z.output<typeof config>;

/** Prints what arrives, for people who look into a pipeline. */
export default exporter({
  type: "debug",
  stability: { traces: "alpha", metrics: "alpha", logs: "alpha", profiles: "development" },
  summary: "Prints what arrives to the log or to the console, as counts, one line per item, or in full.",
  config,
  perWorker: ({ output_paths }) => (output_paths ?? []).every((path) => path === "stdout" || path === "stderr"),
  examples: [
    { title: "Every field of every item", yaml: "debug: { verbosity: detailed }" },
    {
      title: "At most five equal lines a second, bare on stdout",
      yaml: "debug: { use_internal_logger: false, sampling_initial: 5, sampling_thereafter: 0 }",
    },
  ],
  traces: (settings, host) => printing(settings, host, printed.traces, (data) => decode<"traces">(data)),
  metrics: (settings, host) => printing(settings, host, printed.metrics, (data) => decode<"metrics">(data)),
  logs: (settings, host) => printing(settings, host, printed.logs, (data) => decode<"logs">(data)),
  profiles: (settings, host) => printing(settings, host, printed.profiles, (data) => decode<"profiles">(data)),
});

function printing<S extends keyof Decoded>(
  settings: Config,
  host: ExporterHost,
  signal: Printed<S>,
  toObjects: (data: PdataOf[S]) => Decoded[S],
): Exporter<PdataOf[S]> {
  const writer = writerOf(settings, host);
  const { sending_queue, verbosity } = settings;
  const pause = pauseOn(host.clock);
  const textOf = (data: PdataOf[S], numbering: Numbering) => {
    const request = toObjects(data);
    return verbosity === "normal" ? signal.normal(request, numbering) : signal.detailed(request, numbering);
  };
  /** Batches whose text takes more than one step: later ones come after them. */
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  return queuedExporter<PdataOf[S]>({ sending_queue, retry_on_failure: neverAgain, timeout: 0 }, host, print, writer);

  function print(data: PdataOf[S], attempt: Attempt): Promise<void> | void {
    if (verbosity === "basic") return writer.write(signal.title, () => signal.counts(data));
    if (waiting === 0 && isOneStep(data)) return write(data, textOf(data, new Numbering()));
    waiting += 1;
    const printed = last
      .then(() => textInSteps(data, textOf, pause, attempt.signal))
      .then((text) => write(data, text))
      .finally(() => void (waiting -= 1));
    last = printed.catch(() => undefined);
    return printed;
  }

  /** Counts and content, with nothing in between. */
  function write(data: PdataOf[S], text: string): Promise<void> | void {
    const counted = writer.write(signal.title, () => signal.counts(data));
    const content = writer.write(text);
    if (counted !== undefined || content !== undefined) return Promise.all([counted, content]).then(() => undefined);
  }
}

function writerOf(settings: Config, host: ExporterHost): Writer {
  const sampling = { initial: settings.sampling_initial, thereafter: settings.sampling_thereafter };
  if (settings.use_internal_logger) return loggerWriter(host.logger, host.clock, sampling);
  return outputWriter((settings.output_paths ?? ["stdout"]).map(outputOf), host.clock, sampling);
}
