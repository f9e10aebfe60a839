import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/otelpipe.js", import.meta.url));

/** What a command left behind. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly environment?: Record<string, string>;
  /** Flags for Node itself. */
  readonly node?: readonly string[];
  /** The directory to run in. */
  readonly cwd?: string;
  /** Sent SIGTERM once stderr contains this. */
  readonly stopAt?: string;
}

/** Runs `otelpipe` with `args` in a process of its own, to its end; a minute at most. */
export async function otelpipe(args: readonly string[], options: CliOptions = {}): Promise<Result> {
  const { environment = {}, node = [], cwd, stopAt } = options;
  const child = spawn(process.execPath, [...node, bin, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = "";
  let stderr = "";
  let stopped = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (stopAt === undefined || stopped || !stderr.includes(stopAt)) return;
    stopped = true;
    child.kill("SIGTERM");
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** A directory with `files`, gone at the end of the test. */
export function folderWith(test: { after(run: () => void): void }, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-cli-"));
  test.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
