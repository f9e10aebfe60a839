import { receiver } from "../../pipeline/component.ts";
import { config } from "./config.ts";
import { FileReceiver } from "./file_receiver.ts";

export default receiver({
  type: "otlp_json_file",
  aliases: ["otlpjsonfile"],
  stability: { traces: "alpha", metrics: "alpha", logs: "alpha", profiles: "development" },
  summary: "Reads files of OTLP/JSON, one export request a line, and follows them as they grow and rotate.",
  config,
  examples: [
    {
      title: "All of what a file exporter wrote",
      yaml: "otlp_json_file: { include: [/var/log/otel/*.json], start_at: beginning }",
    },
    {
      title: "Compressed files too, each removed once it was taken",
      yaml: 'otlp_json_file: { include: ["./inbox/**/*.json*"], start_at: beginning, compression: auto, delete_after_read: true }',
    },
    {
      title: "Going on where the last run stopped",
      yaml: "otlp_json_file: { include: [/var/log/otel/*.json], storage: file_storage }",
    },
  ],
  create: (settings, host) => new FileReceiver(settings, host),
});
