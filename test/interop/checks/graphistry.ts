import { check, type Findings } from "../check.ts";
import { proveGraphistryClient } from "../graphistry_client.ts";

/** The real Python client against our stand-in server, and pyarrow on our files; see `graphistry_client.ts`. */
export const graphistry = check({
  name: "graphistry",
  area: "plotly, graphistry, pyarrow",
  needs: ["python_sdk"],
  async run(): Promise<Findings> {
    const proven = await proveGraphistryClient();
    if ("skipped" in proven) throw new Error(proven.skipped);
    const [client = "", arrow = ""] = proven;
    return {
      rows: [
        {
          peer: "graphistry (Python)",
          checked: "its uploads to the stand-in server our exporter is tested with",
          result: client,
        },
        { peer: "pyarrow, graphistry's validator", checked: "the graph files our exporter writes", result: arrow },
      ],
    };
  },
});
