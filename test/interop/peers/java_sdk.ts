import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";
import { type SendOptions, type Sent, sendFlags } from "./sent.ts";

const source = join(import.meta.dirname, "java_sdk");
const files = ["Send.java", "pom.xml"];

/** A program that sends with the official Java SDK, built from `java_sdk/`; its version is in `pom.xml`. */
export async function ensure(): Promise<Peer | Skipped> {
  const texts = await Promise.all(files.map((file) => readFile(join(source, file), "utf8")));
  const digest = createHash("sha256").update(texts.join("")).digest("hex").slice(0, 12);
  const version = /opentelemetry-sdk<\/artifactId><version>([^<]*)/.exec(texts[1] ?? "")?.[1] ?? "";
  return await ensurePeer({
    name: "java_sdk",
    version: `opentelemetry-java ${version}, program ${digest}`,
    tools: ["java", "javac", "mvn"],
    executable: "classes",
    async install(folder) {
      const options = { cwd: folder, timeoutMs: buildTimeoutMs };
      await Promise.all(files.map((file) => cp(join(source, file), join(folder, file))));
      await run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], options);
      await run("javac", ["-encoding", "UTF-8", "-cp", "lib/*", "-d", "classes", "Send.java"], options);
    },
  });
}

/** Sends with the Java SDK and gives back what it sent, once its exporters have said that it arrived. */
export async function send(peer: Peer, options: SendOptions): Promise<Sent> {
  const classes = `${peer.executable}:${join(peer.folder, "lib")}/*`;
  return JSON.parse(await run("java", ["-cp", classes, "Send", ...sendFlags(options, "java-sdk")]));
}
