import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GroupedFiles, mostRemembered } from "../../../exporters/file/grouped_files.ts";
import { FileWriter } from "../../../exporters/file/writer.ts";
import type { Pdata } from "../../../pipeline/pdata/index.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

interface Behaviour {
  readonly close?: (path: string) => Promise<void>;
}

/** Writers over files that are not there, and what was asked of them. */
function filesOf({ close }: Behaviour = {}) {
  const asked: string[] = [];
  let group = "";
  const files = new GroupedFiles({
    groups: (data: Pdata) => new Map([[group, data]]),
    pathOf: (segment) => segment,
    maxOpenFiles: 2,
    logger: simulatedHost().logger,
    makeWriter: (path, goesOn) => {
      const file = {
        open: async () => {
          asked.push(`${goesOn ? "go on with" : "empty"} ${path}`);
        },
        close: async () => {
          await close?.(path);
          asked.push(`close ${path}`);
        },
        write: async () => {},
      };
      return new FileWriter(file as never, { format: "json", zstdLevel: undefined }, async () => {});
    },
  });
  const write = (path: string) =>
    new Promise<string>((resolve) => {
      group = path;
      files.write(someSpans(1, "x"), (error) => resolve(error === undefined ? "ack" : String(error.retryable)));
    });
  return { files, asked, write };
}

describe("the files of groups", () => {
  it("are opened again only after they are closed", async () => {
    const { promise: mayClose, resolve } = Promise.withResolvers<void>();
    const { asked, write } = filesOf({ close: (path) => (path === "a" ? mayClose : Promise.resolve()) });
    await write("a");
    await write("b");
    const answers = [write("c"), write("a")]; // c takes the place of a, and a then that of b, which closes at once
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(asked, ["empty a", "empty b", "close b"]);
    resolve();
    assert.deepEqual(await Promise.all(answers), ["ack", "ack"]);
    assert.ok(asked.indexOf("close a") < asked.indexOf("go on with a"), asked.join());
  });

  it("are never emptied once too many are known to remember them all", async () => {
    const { asked, write } = filesOf();
    for (let index = 0; index <= mostRemembered; index++) await write(String(index));
    await write("0");
    const openings = asked.filter((each) => !each.startsWith("close"));
    assert.deepEqual(openings.slice(-3), [
      `empty ${mostRemembered - 1}`,
      `go on with ${mostRemembered}`,
      "go on with 0",
    ]);
  });
});
