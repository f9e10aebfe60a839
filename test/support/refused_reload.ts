import type { ReloadVerdict } from "../../pipeline/view.ts";

/** What came of a change of the configuration, in which two settings are wrong. */
export const refusedReload: ReloadVerdict = {
  outcome: "refused",
  text: "The new configuration was refused; the old one runs on.",
  unixMs: 0,
  added: [],
  rebuilt: [],
  removed: [],
  kept: 0,
  problems: [
    { place: "pipeline.yaml:4:12", path: "processors.batch", message: 'unknown key "timeot"' },
    { message: "no pipeline" },
  ],
};
