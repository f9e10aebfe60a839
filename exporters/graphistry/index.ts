import { exporter } from "../../pipeline/component.ts";
import { config, settingsOf } from "./config.ts";
import { GraphistryExporter } from "./graphistry_exporter.ts";

export default exporter({
  type: "graphistry",
  stability: { traces: "alpha" },
  summary:
    "Keeps the last traces as a graph of spans: for the dashboard, as Arrow and JSON files, on a Graphistry server.",
  config,
  examples: [
    { title: "The graph on the dashboard, and as files, without an account", yaml: "graphistry:" },
    { title: "On the dashboard only", yaml: 'graphistry: { directory: "" }' },
    { title: "Files in a directory of your own", yaml: "graphistry: { directory: ./graph, upload_interval: 1m }" },
    {
      title: "Uploaded with a personal key, for everyone in an organization",
      yaml: `graphistry:
  personal_key_id: \${env:GRAPHISTRY_PERSONAL_KEY_ID:-ABC}
  personal_key_secret: \${env:GRAPHISTRY_PERSONAL_KEY_SECRET:-secret}
  org_name: research
  privacy:
    mode: organization`,
    },
  ],
  traces: (settings, host) => new GraphistryExporter(settingsOf(settings), host),
});
