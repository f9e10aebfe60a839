import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { cacheFolder, ensurePeer, isSkipped, type Recipe } from "./peer.ts";
import { freePorts, startServer } from "./server.ts";

/** A recipe that needs nothing and counts how often it was asked to install. */
function countingRecipe(name: string, changes: Partial<Recipe> = {}): Recipe & { installs: number } {
  const recipe = {
    name,
    version: "1",
    tools: [],
    executable: "program",
    installs: 0,
    async install(folder: string): Promise<void> {
      recipe.installs += 1;
      await writeFile(join(folder, "program"), "");
    },
    ...changes,
  };
  return recipe;
}

/** Answers 200 on the port it is told, and says hello in its log. */
const serverProgram = `
  console.log("hello");
  require("node:http").createServer((_, response) => response.end("ok")).listen(Number(process.argv[1]), "127.0.0.1");
`;

let folder: string;
const peersBefore = process.env["OTELPIPE_PEERS"];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "otelpipe-peers-test-"));
  process.env["OTELPIPE_PEERS"] = folder;
});

after(async () => {
  if (peersBefore === undefined) delete process.env["OTELPIPE_PEERS"];
  else process.env["OTELPIPE_PEERS"] = peersBefore;
  await rm(folder, { recursive: true });
});

describe("a peer", () => {
  it("is installed once, also when asked for twice at a time, and anew for another version", async () => {
    const recipe = countingRecipe("once");
    const [first, second] = await Promise.all([ensurePeer(recipe), ensurePeer(recipe)]);
    assert.deepEqual(first, second);
    assert.ok(!isSkipped(first));
    assert.equal(first.executable, join(folder, "once", "program"));
    await ensurePeer(recipe);
    assert.equal(recipe.installs, 1);
    await ensurePeer({ ...recipe, version: "2" });
    assert.equal(recipe.installs, 2);
    assert.equal(await readFile(join(folder, "once", "stamp.txt"), "utf8"), "2\n");
  });

  it("is skipped, with the reason, without its tool", async () => {
    const recipe = countingRecipe("toolless", { tools: ["no-such-tool"] });
    assert.deepEqual(await ensurePeer(recipe), { skipped: "toolless: no-such-tool not found on the PATH" });
    assert.equal(recipe.installs, 0);
  });

  it("is skipped, with the reason, when it cannot be installed, and tried again the next time", async () => {
    const failing = countingRecipe("failing", { install: () => Promise.reject(new Error("no network")) });
    assert.deepEqual(await ensurePeer(failing), { skipped: "failing 1: no network" });
    assert.ok(!isSkipped(await ensurePeer(countingRecipe("failing"))));
  });

  it("takes over the lock of a process that is gone", async () => {
    await writeFile(join(folder, "orphan.lock"), "999999999");
    assert.ok(!isSkipped(await ensurePeer(countingRecipe("orphan"))));
  });

  it("lives in OTELPIPE_PEERS, else in the user's cache", () => {
    assert.equal(cacheFolder({ OTELPIPE_PEERS: "/a", XDG_CACHE_HOME: "/b" }), "/a");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/b" }), "/b/otelpipe/peers");
    assert.match(cacheFolder({}), /\/\.cache\/otelpipe\/peers$/);
  });
});

describe("a server", () => {
  it("is ready once its health endpoint answers, and gone once stopped", async () => {
    const [port = 0] = await freePorts(1);
    const healthUrl = `http://127.0.0.1:${port}/`;
    const command = { name: "fake", executable: process.execPath, arguments: ["-e", serverProgram, String(port)] };
    const server = await startServer({ ...command, healthUrl });
    assert.equal((await fetch(healthUrl)).status, 200);
    assert.equal(await readFile(server.logFile, "utf8"), "hello\n");
    await server.stop();
    await server.stop();
    await assert.rejects(fetch(healthUrl));
    assert.throws(() => process.kill(server.pid, 0), { code: "ESRCH" });
  });

  it("that ends at once is an error with what it said", async () => {
    const program = 'console.error("bad config"); process.exit(3)';
    const command = { name: "fake", executable: process.execPath, arguments: ["-e", program] };
    const started = startServer({ ...command, healthUrl: "http://127.0.0.1:9/" });
    await assert.rejects(started, /fake ended with 3.*\nbad config/);
  });

  it("that cannot be found is an error", async () => {
    const command = { name: "fake", executable: "/no/such/program", arguments: [] };
    await assert.rejects(startServer({ ...command, healthUrl: "http://127.0.0.1:9/" }), /ENOENT/);
  });
});
