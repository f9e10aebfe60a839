import { buildTimeoutMs, ensurePeer, goEnvironment, type Peer, run, type Skipped } from "./peer.ts";

const version = "v2.2.1+incompatible";
const module = "github.com/summerwind/h2spec";

/** The conformance tests of HTTP/2. They have no `go.mod`, so they are built as what a module of ours depends on. */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "h2spec",
    version: `h2spec ${version}`,
    tools: ["go"],
    executable: "h2spec",
    async install(folder) {
      const options = { cwd: folder, env: goEnvironment, timeoutMs: buildTimeoutMs };
      await run("go", ["mod", "init", "example.test/h2spec"], options);
      await run("go", ["get", `${module}@${version}`], options);
      await run("go", ["build", "-o", "h2spec", `${module}/cmd/h2spec`], options);
    },
  });
}
