#!/usr/bin/env node
// Plain JavaScript that any Node can read: it explains an old Node before anything newer is parsed.
const [major, minor, patch] = process.versions.node.split(".").map(Number);
const atLeast = (wantedMinor, wantedPatch) => minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch);
const supported = major > 24 || (major === 24 && atLeast(14, 1)) || (major === 22 && atLeast(22, 2));

if (!supported) {
  process.stderr.write(`otelpipe needs Node 22.22.2 or newer 22, or 24.14.1 or newer; this is ${process.version}.\n`);
  process.exit(1);
}
// Not imported: to import a module of Node's reads all of its exports, which loads another 30 modules.
process.getBuiltinModule("node:module").enableCompileCache();
// A checkout runs its sources, an installed package its bundle.
const source = new URL("../cmd/main.ts", import.meta.url);
const { main } = await import(process.getBuiltinModule("node:fs").existsSync(source) ? source.href : "../dist/main.js");
process.exitCode = await main(process.argv.slice(2));
