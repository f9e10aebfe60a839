import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** A real program to test against, installed in the cache folder, outside the repository. */
export interface Peer {
  readonly name: string;
  /** What the stamp says: one line naming every version that matters. */
  readonly version: string;
  readonly folder: string;
  /** The program to start: a binary, or the interpreter of a virtual environment. */
  readonly executable: string;
}

/** Why a peer is not here, for a person to read; tests pass it to `node:test` as their reason. */
export interface Skipped {
  readonly skipped: string;
}

/** What a recipe needs to say; `ensurePeer` does the rest. */
export interface Recipe {
  readonly name: string;
  /** Changes whenever the outcome would: a folder with another stamp is built anew. */
  readonly version: string;
  /** Programs that must be on the PATH, such as `go`. */
  readonly tools: readonly string[];
  /** The program, relative to the folder. */
  readonly executable: string;
  install(folder: string): Promise<void>;
}

/** True for a peer that could not be had. */
export function isSkipped(peer: Peer | Skipped): peer is Skipped {
  return "skipped" in peer;
}

/** Where peers are kept: `OTELPIPE_PEERS`, else `otelpipe/peers` in the user's cache folder. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const cache = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return resolve(environment["OTELPIPE_PEERS"] || join(cache, "otelpipe", "peers"));
}

/**
 * Installs what `recipe` describes unless its stamp is already there. Never throws: a missing tool or a failed download
 * is a reason to skip. Processes that ask for one peer at once take turns.
 */
export async function ensurePeer(recipe: Recipe): Promise<Peer | Skipped> {
  const folder = join(cacheFolder(), recipe.name);
  const peer = { name: recipe.name, version: recipe.version, folder, executable: join(folder, recipe.executable) };
  if (await isStamped(peer)) return peer;
  const missing = await missingTools(recipe.tools);
  if (missing.length > 0) return { skipped: `${recipe.name}: ${missing.join(", ")} not found on the PATH` };
  try {
    await withLock(`${folder}.lock`, async () => {
      if (await isStamped(peer)) return;
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await recipe.install(folder);
      await writeFile(join(folder, "stamp.txt"), `${recipe.version}\n`);
    });
    return peer;
  } catch (error) {
    return { skipped: `${recipe.name} ${recipe.version}: ${reasonOf(error)}` };
  }
}

/**
 * Runs a program to its end and gives back its standard output.
 *
 * @throws Error with the last lines of what it wrote, when it fails or takes longer than `timeoutMs`.
 */
export async function run(
  program: string,
  programArguments: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, programArguments, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
    const said = lastLines(stderr || stdout || String(error), 6);
    throw new Error(`${program} ${programArguments.slice(0, 3).join(" ")} failed: ${said}`, { cause: error });
  }
}

/** What Go needs to build politely on a small machine. `GOTOOLCHAIN=local`: never fetch another compiler. */
export const goEnvironment = { GOMAXPROCS: "2", GOFLAGS: "-buildvcs=false -mod=mod", GOTOOLCHAIN: "local" };

/** A download and a build of a large Go program on two cores, generously. */
export const buildTimeoutMs = 40 * 60_000;

/** The last `count` lines of a text, for an error a person reads. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

async function isStamped(peer: Peer): Promise<boolean> {
  const stamp = await readFile(join(peer.folder, "stamp.txt"), "utf8").catch(() => "");
  return stamp.trim() === peer.version;
}

async function missingTools(tools: readonly string[]): Promise<string[]> {
  const found = await Promise.all(tools.map((tool) => isRunnable(tool)));
  return tools.filter((_, index) => !found[index]);
}

async function isRunnable(tool: string): Promise<boolean> {
  return await run(tool, [tool === "go" ? "version" : "--version"]).then(
    () => true,
    () => false,
  );
}

/** Holds a folder that names this process while `work` runs; a lock whose process is gone is taken over. */
async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + buildTimeoutMs;
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${lock}`);
    await sleep(500);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  await mkdir(cacheFolder(), { recursive: true });
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = Number(await readFile(lock, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
