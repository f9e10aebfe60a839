import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildTimeoutMs, ensurePeer, goEnvironment, type Peer, run, type Skipped } from "./peer.ts";

/**
 * Servers of gRPC libraries, for a client to call. Each is a program in `grpc_servers/` with the same flags (`--cert`, `--key`,
 * `--client-ca`, `--max-age-ms`: when a connection is sent away) and the same methods of `peer.Echo`: `Echo` answers with
 * its message, `Digest` with the message's SHA-256 in hexadecimal, `Wait` not before the call is over or 30 s have passed, and
 * `Fail` with RESOURCE_EXHAUSTED, where the library lets it before the message has come.
 */

const source = join(import.meta.dirname, "grpc_servers");
const goGrpcVersion = "v1.84.0";

/** A server of grpc-go. */
export async function ensureGo(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "grpc_go",
    version: `grpc-go ${goGrpcVersion}, program ${await digestOf("go/main.go")}`,
    tools: ["go"],
    executable: "serve",
    async install(folder) {
      const options = { cwd: folder, env: goEnvironment, timeoutMs: buildTimeoutMs };
      await cp(join(source, "go"), folder, { recursive: true });
      await run("go", ["mod", "init", "example.test/serve"], options);
      const modules = [`google.golang.org/grpc@${goGrpcVersion}`, "github.com/klauspost/compress@v1.20.3"];
      await run("go", ["get", ...modules], options);
      await run("go", ["build", "-o", "serve", "."], options);
    },
  });
}

/** A server of grpc-java, on Netty. */
export async function ensureJava(): Promise<Peer | Skipped> {
  const pom = await readFile(join(source, "java", "pom.xml"), "utf8");
  const version = /grpc-stub<\/artifactId><version>([^<]*)/.exec(pom)?.[1] ?? "";
  return await ensurePeer({
    name: "grpc_java",
    version: `grpc-java ${version}, program ${await digestOf("java/Serve.java", "java/pom.xml")}`,
    tools: ["java", "javac", "mvn"],
    executable: "classes",
    async install(folder) {
      const options = { cwd: folder, timeoutMs: buildTimeoutMs };
      await cp(join(source, "java"), folder, { recursive: true });
      await run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], options);
      await run("javac", ["-encoding", "UTF-8", "-cp", "lib/*", "-d", "classes", "Serve.java"], options);
    },
  });
}

/** A server of tonic, on Hyper. */
export async function ensureTonic(): Promise<Peer | Skipped> {
  const manifest = await readFile(join(source, "tonic", "Cargo.toml"), "utf8");
  const version = /tonic = \{ version = "=([^"]*)"/.exec(manifest)?.[1] ?? "";
  return await ensurePeer({
    name: "tonic",
    version: `tonic ${version}, program ${await digestOf("tonic/Cargo.toml", "tonic/src/main.rs")}`,
    tools: ["cargo"],
    executable: join("target", "release", "serve"),
    async install(folder) {
      await cp(join(source, "tonic"), folder, { recursive: true });
      await run("cargo", ["build", "--release", "--quiet"], { cwd: folder, timeoutMs: buildTimeoutMs });
    },
  });
}

async function digestOf(...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(join(source, file), "utf8")));
  return createHash("sha256").update(texts.join("")).digest("hex").slice(0, 12);
}

/** Which program, and which words go before the flags. */
export type Command = readonly [program: string, ...words: string[]];

export const commands = {
  go: (peer: Peer): Command => [peer.executable],
  java: (peer: Peer): Command => ["java", "-cp", `${peer.executable}:${join(peer.folder, "lib")}/*`, "Serve"],
  /** Python's grpcio comes with the SDK's exporter. */
  python: (peer: Peer): Command => [peer.executable, join(source, "serve.py")],
  tonic: (peer: Peer): Command => [peer.executable],
  /** The library is a development dependency of this repository. */
  javascript: (): Command => [process.execPath, join(source, "serve_js.ts")],
};

export interface GrpcServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a server; it says on which port it listens. It does not outlive this process. */
export async function start([program, ...words]: Command, flags: readonly string[]): Promise<GrpcServer> {
  const child = spawn(program, [...words, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "close").finally(() => process.off("exit", kill));
  return {
    port: await portOf(child, ended),
    stop: async () => {
      kill();
      await ended;
    },
  };
}

async function portOf(child: ChildProcess, ended: Promise<unknown>): Promise<number> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, "line"), ended])) as [unknown];
  const port = /^listening (\d+)$/.exec(String(line))?.[1];
  if (port === undefined) throw new Error(`${child.spawnargs.join(" ")} did not say where it listens, but: ${line}`);
  return Number(port);
}
