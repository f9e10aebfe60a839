import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArguments } from "../../cmd/arguments.ts";

const flags = {
  config: { type: "string", multiple: true },
  format: { type: "string", default: "yaml" },
  seed: { type: "string" },
  quiet: { type: "boolean" },
  validate: { type: "boolean", default: true },
} as const;
const none = { config: [], format: "yaml", seed: undefined, quiet: false, validate: true };

describe("flags are read", () => {
  for (const { args, values, positionals = [] } of [
    { args: [], values: {} },
    { args: ["--config", "a", "--config=b=c", "--config="], values: { config: ["a", "b=c", ""] } },
    { args: ["--config", "--quiet"], values: { config: ["--quiet"] } },
    { args: ["--seed", "1", "--seed", "-2"], values: { seed: "-2" } },
    { args: ["--quiet", "--validate=false"], values: { quiet: true, validate: false } },
    { args: ["--quiet=1", "--quiet=F"], values: {} },
    { args: ["one", "--format", "json", "two"], values: { format: "json" }, positionals: ["one", "two"] },
    { args: ["-", "--", "--quiet"], values: {}, positionals: ["-", "--quiet"] },
  ] as { args: string[]; values: object; positionals?: string[] }[]) {
    it(JSON.stringify(args), () => {
      assert.deepEqual(parseArguments("x", args, flags, 2), { values: { ...none, ...values }, positionals });
    });
  }
});

describe("flags are refused", () => {
  for (const { args, message } of [
    { args: ["--confg=x"], message: "unknown flag --confg, did you mean --config?" },
    { args: ["-config", "x"], message: "unknown flag -config, did you mean --config?" },
    { args: ["-x"], message: "unknown flag -x" },
    { args: ["--toString"], message: "unknown flag --toString" },
    { args: ["--quiet=yes"], message: 'invalid value "yes" for --quiet: true or false' },
    { args: ["--seed"], message: "flag needs an argument: --seed" },
    { args: ["a"], message: 'x takes no argument "a"' },
  ]) {
    it(JSON.stringify(args), () => {
      assert.throws(() => parseArguments("x", args, flags), { name: "UsageError", message });
    });
  }
});
