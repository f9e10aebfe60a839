import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { catalog } from "../cmd/catalog.ts";
import { loadConfig } from "../pipeline/config/load.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = globSync(["*.md", "docs/**/*.md", "packaging/**/*.md", "examples/**/*.md"], {
  cwd: root,
  exclude: ["**/node_modules/**"],
});

describe("what the documentation shows", () => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    const configs = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].flatMap(([, yaml = ""]) =>
      /^service:/m.test(yaml) ? [yaml] : [],
    );
    for (const [index, yaml] of configs.entries()) {
      it(`${page}: the complete config ${index + 1} is valid`, async () => {
        await loadConfig([page], catalog, { environment: { API_KEY: "secret" }, readFile: () => yaml });
      });
    }
    it(`${page}: every link leads somewhere`, () => {
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g))
        assert.ok(existsSync(join(root, dirname(page), target)), target);
    });
  }
});
