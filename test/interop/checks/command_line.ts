import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { fromSources } from "../../support/daemon.ts";
import { check, type Difference, type Findings, type Row } from "../check.ts";
import { runFolder } from "../peers/server.ts";
import { componentsDifferences, printedDifferences } from "./command_line/documents.ts";
import { families, files, type Invocation } from "./command_line/invocations.ts";

/** How a program ended. */
interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Program = (invocation: Invocation) => Promise<Outcome>;

/**
 * The same command lines to otelpipe and to a real Collector: exit code, which stream holds text, and the gist of that
 * text must be equal, or differ as the invocation says. What `components` and `print-config` list must agree.
 */
export const commandLine = check({
  name: "command_line",
  area: "Command line",
  needs: ["collector"],
  async run({ collector }): Promise<Findings> {
    const folder = await folderWithFiles();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const port = String((taken.address() as AddressInfo).port);
    const start = (command: string, before: readonly string[]): Program => {
      return (invocation) => runOnce(command, before, invocation, folder, { TAKEN: port });
    };
    try {
      return await compareAll(start(fromSources.program, fromSources.args), start(collector.executable, []));
    } finally {
      taken.close();
    }
  },
});

async function compareAll(ours: Program, theirs: Program): Promise<Findings> {
  const rows: Row[] = [];
  const differences: Difference[] = [];
  const unexpected: string[] = [];
  for (const [name, invocations] of families) {
    const differing: Difference[] = [];
    for (const invocation of invocations) {
      const [our, their] = await Promise.all([ours(invocation), theirs(invocation)]);
      const input = invocation.args.join(" ") || "(nothing)";
      const isAlike = signature(our, invocation) === signature(their, invocation);
      if (isAlike !== (invocation.difference === undefined)) {
        unexpected.push(`otelpipe ${input}\n  ours   ${told(our)}\n  theirs ${told(their)}`);
      }
      if (invocation.difference === undefined) continue;
      differing.push({ input, otelpipe: told(our), collector: told(their), reason: invocation.difference });
    }
    differences.push(...differing);
    const alike = invocations.length - differing.length;
    const result = `${alike} of ${invocations.length} alike, ${differing.length} differ as listed`;
    const counts = { scenarios: invocations.length, equal: alike };
    rows.push({ peer: "Collector, side by side", checked: `Command line: ${name}`, result, ...counts });
  }
  rows.push(...(await compareDocuments(ours, theirs, unexpected)));
  assert.ok(unexpected.length === 0, `${unexpected.length} are not as expected:\n${unexpected.join("\n")}`);
  return { rows, differences };
}

/** What `components` and `print-config` of both list. */
async function compareDocuments(ours: Program, theirs: Program, unexpected: string[]): Promise<Row[]> {
  const both = async (args: readonly string[]) => {
    const [our, their] = await Promise.all([ours({ args }), theirs({ args })]);
    return [our.stdout, their.stdout] as const;
  };
  const components = componentsDifferences(...(await both(["components"])));
  const printed = printedDifferences(...(await both(["print-config", "--config", "good.yaml"])));
  unexpected.push(...components.different, ...printed.different);
  return [
    { peer: "Collector, side by side", checked: "Command line: components", result: components.result },
    { peer: "Collector, side by side", checked: "Command line: print-config", result: printed.result },
  ];
}

/** What is compared: the exit code, which streams hold text, and whether the text has the gist. */
function signature({ code, stdout, stderr }: Outcome, { says }: Invocation): string {
  const streams = `${stdout === "" ? "" : "stdout"} ${stderr === "" ? "" : "stderr"}`;
  const gist = says === undefined ? "" : says.test(stdout === "" ? stderr : stdout) ? "gist" : "another text";
  return `${code} ${streams} ${gist}`;
}

/** An outcome in a line. */
function told({ code, stdout, stderr }: Outcome): string {
  const shown = (stream: string, text: string) => {
    const line = text.trim().replace(/\s+/g, " ");
    return text === "" ? "" : `; ${stream}: ${line.length > 160 ? `${line.slice(0, 160)}…` : line}`;
  };
  return `exit code ${code}${shown("stdout", stdout)}${shown("stderr", stderr)}`;
}

async function folderWithFiles(): Promise<string> {
  const folder = await runFolder("command-line");
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function runOnce(
  program: string,
  before: readonly string[],
  { args, environment = {}, signal }: Invocation,
  cwd: string,
  more: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const env = { ...process.env, NO_COLOR: "1", ...more, ...environment };
  const child = spawn(program, [...before, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const texts = collect(child, signal);
  const [code] = (await once(child, "close")) as [number | null];
  process.off("exit", kill);
  return { code, ...texts() };
}

/** What a process writes, so far; `signal` is sent soon after it says that it runs: the Collector says so too early. */
function collect(child: ChildProcess, signal: NodeJS.Signals | undefined): () => { stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  let sent = signal === undefined;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (sent || !stderr.includes("Everything is ready")) return;
    sent = true;
    setTimeout(() => child.kill(signal), 200);
  });
  return () => ({ stdout, stderr });
}
