import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, type Findings } from "../check.ts";
import { run } from "../peers/peer.ts";

const packaging = fileURLToPath(new URL("../../../packaging", import.meta.url));

/** The recipes in `packaging/` pass the linters of their kind: hadolint, the schemas of Kubernetes, systemd's own. */
export const recipes = check({
  name: "packaging",
  area: "Recipes of `packaging/`",
  needs: ["linters"],
  async run({ linters }): Promise<Findings> {
    const silent = [
      { file: "container/Dockerfile", with: "hadolint", command: join(linters.executable, "hadolint"), args: [] },
      {
        file: "container/Dockerfile.rapids",
        with: "hadolint",
        command: join(linters.executable, "hadolint"),
        args: [],
      },
      { file: "systemd/otelpipe.service", with: "systemd-analyze", command: "systemd-analyze", args: ["verify"] },
      {
        file: "kubernetes/otelpipe.yaml",
        with: "kubernetes-validate",
        command: join(linters.executable, "kubernetes-validate"),
        args: ["--strict", "--quiet"],
      },
    ];
    const rows = [];
    for (const { file, with: linter, command, args } of silent) {
      assert.equal(await run(command, [...args, join(packaging, file)]), "", file);
      rows.push({ peer: linter, checked: `\`packaging/${file}\``, result: "nothing to say" });
    }
    return { rows };
  },
});
