import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "./peer.ts";

/** A peer's server process, for as long as a test needs it. */
export interface RunningServer {
  readonly pid: number;
  /** Everything the process wrote, standard output and error together. */
  readonly logFile: string;
  /** Asks the process to end, and ends it after five seconds; safe to call twice. */
  stop(): Promise<void>;
}

/** How to start a server and how to tell that it is ready. */
export interface ServerCommand {
  readonly name: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Answers 2xx once the server can be used. */
  readonly healthUrl: string;
  readonly readyWithinMs?: number;
  /** After this long the process is ended even if nobody stopped it. */
  readonly endsAfterMs?: number;
}

/** A fresh folder for one run's configuration, data and log. */
export async function runFolder(name: string): Promise<string> {
  return await mkdtemp(join(tmpdir(), `otelpipe-${name}-`));
}

/** `count` ports on 127.0.0.1 that nothing listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenAnywhere()));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * Starts a server and waits until its health endpoint answers. It outlives neither this process nor its time.
 *
 * @throws Error with the log's last lines when the process ends, or is not ready in time; nothing is left running.
 */
export async function startServer(command: ServerCommand): Promise<RunningServer> {
  const logFile = join(await runFolder(`${command.name}-log`), "log.txt");
  const log = createWriteStream(logFile);
  const child = spawn(command.executable, command.arguments, {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: { ...process.env, ...command.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const failed = new Promise<string>((resolve) => child.once("error", (error) => resolve(String(error))));
  const ended = once(child, "close").then(([code, signal]) => `ended with ${String(code ?? signal)}`);
  const stop = stopper(child, ended);
  const kill = (): void => void child.kill("SIGKILL");
  const limit = setTimeout(kill, command.endsAfterMs ?? 30 * 60_000).unref();
  process.once("exit", kill);
  child.once("close", () => {
    clearTimeout(limit);
    process.off("exit", kill);
  });
  const polling = new AbortController();
  const outcome = await Promise.race([ended.catch(String), failed, becomesReady(command, polling.signal)]);
  polling.abort();
  if (outcome === "ready") return { pid: child.pid ?? 0, logFile, stop };
  await stop();
  const said = lastLines(await readFile(logFile, "utf8").catch(() => ""), 12);
  throw new Error(`${command.name} ${outcome}; ${command.healthUrl} never answered\n${said}`);
}

/** Asks until `answer` gives something, for at most `withinMs` or until `signal` aborts; the last failure is the cause. */
export async function eventually<Value>(
  answer: () => Promise<Value | undefined>,
  withinMs = 20_000,
  signal?: AbortSignal,
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await answer();
      if (value !== undefined) return value;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw new Error(`no answer within ${withinMs} ms`, { cause: failure });
    await sleep(50, undefined, signal === undefined ? {} : { signal });
  }
}

async function becomesReady(command: ServerCommand, signal: AbortSignal): Promise<"ready" | "is not ready"> {
  const isHealthy = async (): Promise<true | undefined> => {
    const response = await fetch(command.healthUrl, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok ? true : undefined;
  };
  return await eventually(isHealthy, command.readyWithinMs ?? 60_000, signal).then(
    () => "ready",
    () => "is not ready",
  );
}

function stopper(child: ReturnType<typeof spawn>, ended: Promise<string>): () => Promise<void> {
  return async () => {
    if (child.pid === undefined) return;
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended.catch(() => undefined);
    clearTimeout(kill);
  };
}

async function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
