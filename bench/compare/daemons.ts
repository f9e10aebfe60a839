import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Processes of a comparison, each on the core it is given, and what the kernel says of them. */

export interface Program {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The core of the daemon, and that of load and sink. */
const cores = { daemon: 0, others: 1 };

/** Whether processes can be kept on a core each; else what is measured is not comparable. */
export const canPin: boolean =
  availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"], { stdio: "ignore" }).status === 0;

function pinned(core: number, command: string, args: readonly string[]): [string, string[]] {
  return canPin ? ["taskset", ["-c", String(core), command, ...args]] : [command, [...args]];
}

export interface Daemon {
  readonly pid: number;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;

/** Starts a daemon and waits until `port` takes connections. */
export async function startDaemon(program: Program, config: string, port: number): Promise<Daemon> {
  const [command, args] = pinned(cores.daemon, program.command, [...program.args, "--config", config]);
  const env = { ...process.env, GOMAXPROCS: "1" };
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text: Buffer) => {
    log = (log + String(text)).slice(-8_000);
  });
  const deadline = performance.now() + startTimeoutMs;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`${program.name} did not start:\n${log}`);
    }
    await sleep(20);
  }
  const pid = child.pid ?? 0;
  return {
    pid,
    async stop() {
      if (child.exitCode !== null) throw new Error(`${program.name} ended by itself:\n${log}`);
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await once(child, "close");
      clearTimeout(killer);
    },
  };
}

async function takesConnections(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** A program of ours that is steered by messages. */
export class Helper<Command, Answer> {
  readonly #child: ChildProcess;
  #waiting: PromiseWithResolvers<never> | undefined;

  constructor(file: string) {
    const [command, args] = pinned(cores.others, process.execPath, [join(import.meta.dirname, file)]);
    this.#child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (said) => this.#waiting?.resolve(said as never));
    this.#child.on("exit", (code) => this.#waiting?.reject(new Error(`${file} ended with ${code}`)));
  }

  /** What it says next. */
  async next<Said = Answer>(): Promise<Said> {
    this.#waiting = Promise.withResolvers();
    return await this.#waiting.promise;
  }

  async ask(command: Command): Promise<Answer> {
    const answer = this.next();
    this.#child.send(command as object);
    return await answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#waiting = undefined;
    this.#child.disconnect();
    await exited;
  }
}

/** Milliseconds of CPU that all threads of a process have used, user and system, to the nanosecond. */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return used.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0);
}

export function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
