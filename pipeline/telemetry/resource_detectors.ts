import { readFileSync } from "node:fs";
import { arch, hostname, platform, release, userInfo } from "node:os";
import type { AttributeValue, Detector, Resource, ResourceSettings } from "./resource.ts";
import { wildcard } from "./views.ts";

type Attributes = Record<string, AttributeValue>;

/** What the detectors know of this process and its machine; the names of the semantic conventions. */
export function detect(
  detectors: readonly Detector[],
  build: { readonly command: string },
  { included, excluded = [] }: NonNullable<ResourceSettings["kept"]> = {},
): Resource {
  const found: Record<Detector, () => Attributes> = {
    container: containerAttributes,
    host: () => ({ "host.name": hostname() }),
    process: processAttributes,
    service: () => ({ "service.name": process.env["OTEL_SERVICE_NAME"] ?? build.command }),
  };
  const all: Attributes = Object.assign({}, ...detectors.map((detector) => found[detector]()));
  const isOne = (name: string, patterns: readonly string[]) => patterns.some((pattern) => wildcard(pattern).test(name));
  const isKept = (name: string) => (included === undefined || isOne(name, included)) && !isOne(name, excluded);
  return Object.fromEntries(Object.entries(all).filter(([name]) => isKept(name)));
}

function processAttributes(): Attributes {
  return {
    "process.command_args": process.argv,
    "process.executable.name": process.execPath.split("/").at(-1) ?? "",
    "process.executable.path": process.execPath,
    "process.owner": owner(),
    "process.pid": process.pid,
    "process.runtime.description": `Node.js ${process.version} ${platform()}/${arch()} ${release()}`,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.version,
  };
}

/** The account's name; its number where it has none. */
function owner(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}

/** The container's id out of the name of its control group, where there is one. */
function containerAttributes(): Attributes {
  try {
    const id = /([0-9a-f]{64})(?:\.scope)?$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    return id === undefined ? {} : { "container.id": id };
  } catch {
    return {};
  }
}
