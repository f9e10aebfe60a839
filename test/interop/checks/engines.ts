import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, type Findings } from "../check.ts";
import { run } from "../peers/peer.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const worker = join(root, "workers/node_rapids");
const groups = 1_000_000;

const compare = `import * as cuda from "@rapidsai/cuda";
import * as cudf from "@rapidsai/cudf";
import * as rmm from "@rapidsai/rmm";
import type { Cuda, Cudf, Rmm } from ${JSON.stringify(join(worker, "rapids.d.ts"))};
export const real: { cudf: Cudf; cuda: Cuda; rmm: Rmm } = { cudf, cuda, rmm };
`;

/** The worker `rapids` on real pandas, and what `node_rapids` takes node-rapids to be against its own declarations. */
export const engines = check({
  name: "engines",
  area: "Aggregation engines",
  needs: ["python_sdk", "node_rapids"],
  async run({ python_sdk: python, node_rapids: rapids }): Promise<Findings> {
    const test = join(root, "test/pipeline/frame/worker/workers.test.ts");
    const only = ["--test-name-pattern", "rapids, on pandas"];
    // As a test of its own, not as a part of one that may be running.
    const env = {
      OTELPIPE_RAPIDS_PYTHON: python.executable,
      OTELPIPE_GROUPS: String(groups),
      NODE_TEST_CONTEXT: undefined,
    };
    const told = await run(process.execPath, ["--test", "--test-reporter=tap", ...only, test], {
      env,
      timeoutMs: 300_000,
    });
    const passed = Number(/^# pass (\d+)$/m.exec(told)?.[1]);
    assert.ok(passed > 10 && /^# skipped 0$/m.test(told), told);
    await typecheck(rapids.folder);
    return {
      rows: [
        {
          peer: "pandas, pyarrow",
          checked: `the worker \`rapids\`: conformance of engines, ${groups} groups among it`,
          result: `${passed} tests pass`,
        },
        {
          peer: "@rapidsai/cudf, declarations",
          checked: "what the worker `node_rapids` uses of it",
          result: "they agree",
        },
      ],
    };
  },
});

/** @throws {Error} with what tsc says. */
async function typecheck(folder: string): Promise<void> {
  const file = join(folder, "compare.ts");
  await writeFile(file, compare);
  const tsc = join(root, "node_modules/.bin/tsc");
  const common = [
    "--noEmit",
    "--skipLibCheck",
    "--target",
    "es2022",
    "--allowImportingTsExtensions",
    "--types",
    "node",
  ];
  const real = ["--strict", "--module", "commonjs", "--moduleResolution", "bundler"];
  await run(tsc, [...common, ...real, "--typeRoots", join(folder, "node_modules/@types"), file], { cwd: folder });
  const script = ["--allowJs", "--checkJs", "--strict", "false", "--module", "nodenext"];
  const types = ["--typeRoots", join(root, "node_modules/@types")];
  await run(tsc, [...common, ...script, ...types, join(worker, "worker.mjs")], { cwd: folder });
}
