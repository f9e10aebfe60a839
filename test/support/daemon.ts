import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

const running = new Set<ChildProcess>();

// A test that failed half-way leaves no process behind, and so ends. Only a test may ask for it: any other program, such
// as those of test/interop, would become an empty test by doing so.
const killAll = () => running.forEach((child) => void child.kill("SIGKILL"));
if (process.argv[1]?.endsWith(".test.ts") === true) after(killAll);
process.once("exit", killAll);

/** How otelpipe is started: from the sources of the checkout, or as an installed package. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

export const fromSources: Command = { program: process.execPath, args: [join(root, "bin/otelpipe.js")] };

export interface DaemonOptions {
  /** The config as YAML text. */
  readonly yaml?: string;
  /** Arguments instead of `--config` and the YAML. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: Command;
}

export interface NodeBooks {
  readonly in: number;
  readonly out: number;
  readonly refused: number;
  readonly held: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** The books by node. */
export type Books = Readonly<Record<string, NodeBooks>>;

export interface Stopped {
  readonly code: number | null;
  /** The books at the end, checked: in = out + dropped + refused, nothing held. */
  readonly books: Books;
}

/** A field of a log line in the console encoding. */
interface Line {
  readonly level: string;
  readonly caller: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A running otelpipe process; `start` resolves when it is ready. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = "";
  #stdout = "";
  #onOutput: () => void = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "close").then(([code]) => code as number | null);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#onOutput();
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#onOutput();
    });
  }

  /** Starts it without waiting for anything. */
  static launch({ yaml, args, env = {}, command = fromSources }: DaemonOptions): Daemon {
    const child = spawn(command.program, [...command.args, ...(args ?? ["--config", configFile(yaml ?? "")])], {
      cwd: command.cwd ?? mkdtempSync(join(tmpdir(), "otelpipe-run-")),
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    return new Daemon(child);
  }

  /** Starts it and waits until it runs. @throws when it ends before, with what it wrote. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = Daemon.launch(options);
    await daemon.waitFor("Everything is ready");
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote to standard error: its log. */
  get log(): string {
    return this.#output;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves when `text` stands in its log or output so many times. */
  async waitFor(text: string, times = 1): Promise<void> {
    const ended = this.#ended.then(() => "ended" as const);
    const hasSaid = () => [this.#output, this.#stdout].some((said) => said.split(text).length > times);
    while (!hasSaid()) {
      const more = new Promise<"more">((resolve) => (this.#onOutput = () => resolve("more")));
      if ((await Promise.race([more, ended])) === "ended" && !hasSaid()) {
        throw new Error(`otelpipe ended before it said "${text}":\n${this.#output}${this.#stdout}`);
      }
    }
  }

  /** The first address that a component said it listens on, by the message of its log line: `127.0.0.1:4317`. */
  address(message: string): string {
    const line = this.lines().find((candidate) => candidate.message === message);
    assert.ok(line !== undefined, `no log line "${message}" in\n${this.#output}`);
    return String(line.fields["endpoint"]).split(", ")[0] ?? "";
  }

  get grpc(): string {
    return this.address("Starting GRPC server");
  }

  get http(): string {
    return `http://${this.address("Starting HTTP server")}`;
  }

  lines(): Line[] {
    return linesOf(this.#output);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number | null> {
    return await this.#ended;
  }

  /** Asks it to stop, waits, and checks that the books of every component balance with nothing held. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Stopped> {
    this.#child.kill(signal);
    const code = await this.#ended;
    return { code, books: booksAtTheEnd(this.#output) };
  }
}

function linesOf(log: string): Line[] {
  return log.split("\n").flatMap((text) => {
    const [time, level = "", caller = "", message = "", fields] = text.split("\t");
    if (time === undefined || level === "") return [];
    return [{ level, caller, message, fields: fields === undefined ? {} : (JSON.parse(fields) as Line["fields"]) }];
  });
}

/** The books a daemon that has ended left in its log: they must balance, with nothing held. */
export function booksAtTheEnd(log: string): Books {
  const line = linesOf(log).find(({ message }) => message === "Books at the end.");
  assert.ok(line !== undefined, `no books at the end:\n${log}`);
  const books = line.fields["books"] as Books;
  for (const [node, { held }] of Object.entries(books)) assert.equal(held, 0, `${node} still holds ${held}`);
  assertBalanced(books);
  return books;
}

/** in = out + dropped + refused + held, at every node. */
export function assertBalanced(books: Books): void {
  for (const [node, { in: taken, out, refused, held, dropped }] of Object.entries(books)) {
    const droppedItems = Object.values(dropped).reduce((sum, items) => sum + items, 0);
    assert.equal(taken, out + refused + droppedItems + held, `the books of ${node} do not balance`);
  }
}

function configFile(yaml: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "otelpipe-config-")), "pipeline.yaml");
  writeFileSync(path, yaml);
  return path;
}
