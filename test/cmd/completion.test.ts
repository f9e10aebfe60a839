import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fromSources } from "../support/daemon.ts";

const script = (shell: string): string => {
  const { status, stdout } = spawnSync(fromSources.program, [...fromSources.args, "completion", shell], {
    encoding: "utf8",
  });
  assert.equal(status, 0);
  return stdout;
};

/** What bash offers for the last of `words`. */
function offered(...words: string[]): string[] {
  const array = words.map((word) => `'${word}'`).join(" ");
  const ask = `COMP_WORDS=(${array}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _otelpipe; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `${script("bash")}\n${ask}`], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("otelpipe completion", () => {
  it("offers bash the commands, then the flags of the command", () => {
    assert.deepEqual(offered("otelpipe", "va"), ["validate"]);
    assert.deepEqual(offered("otelpipe", "--strict"), ["--strict-compat"]);
    assert.deepEqual(offered("otelpipe", "migrate", "--"), ["--write", "--help"]);
    assert.deepEqual(offered("otelpipe", "validate", "--s"), ["--set", "--strict-compat"]);
  });

  it("leaves the values of --config to bash, which offers files", () => {
    assert.deepEqual(offered("otelpipe", "--config", ""), []);
  });

  it("has a script for each of the Collector's shells", () => {
    assert.match(script("zsh"), /bashcompinit\n_otelpipe\(\) \{/);
    assert.match(script("fish"), /^complete -c otelpipe -n '__fish_seen_subcommand_from print-config' -l origin$/m);
    assert.match(script("powershell"), /^ +'migrate' \{ \$words = @\('--write', '--help'\) \}$/m);
  });

  it("names the shells it knows", () => {
    const { status, stderr } = spawnSync(fromSources.program, [...fromSources.args, "completion", "bsh"], {
      encoding: "utf8",
    });
    assert.deepEqual([status, stderr], [1, "Error: unknown shell bsh, did you mean bash?\n"]);
  });
});
