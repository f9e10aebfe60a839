import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";

const version = "22.12.1";

/** The real packages of node-rapids for their declarations: without the native modules, which need a GPU. */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "node_rapids",
    version: `@rapidsai/cudf ${version}`,
    tools: ["npm"],
    executable: "node_modules",
    async install(folder) {
      const options = { cwd: folder, timeoutMs: buildTimeoutMs };
      const install = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
      await run("npm", [...install, `@rapidsai/cudf@${version}`], options);
    },
  });
}
