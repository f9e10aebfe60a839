import type { KnipConfig } from "knip";

/** Imports and font files of a style sheet, as statements knip can follow. */
function importsOf(style: string): string {
  return [...style.matchAll(/(?:@import |url\()("(?!data:)[^"]+")/g)].map(([, path]) => `import ${path};`).join("\n");
}

/** Where programs start; knip names what none of them reaches. Tests and scripts of package.json it finds by itself. */
export default {
  entry: [
    "cmd/main.ts",
    "cmd/components.ts",
    "cmd/packed_daemon.ts",
    "cmd/worker_thread.ts",
    "cmd/packed_worker_thread.ts",
    "dashboard/page.ts",
    "pipeline/process/cold_thread.ts",
    "extensions/basicauth/password_thread.ts",
    "dashboard/style/page.css",
    "bench/*/main.ts",
    "bench/compare/{load,sink}.ts",
    "examples/*/main.ts",
    "scripts/screenshot.ts",
    "workers/*/worker.mjs",
    "test/interop/{main,real}.ts",
    "test/interop/peers/main.ts",
    "test/interop/peers/grpc_servers/serve_js.ts",
    "test/e2e/many_kills.ts",
  ],
  project: ["**/*.{ts,mjs,js,css}"],
  // Runs beside packages of its own, outside the repository.
  ignore: ["test/interop/peers/javascript_sdk/send.js"],
  compilers: { css: importsOf },
  ignoreBinaries: ["flock", "taskset"],
  ignoreExportsUsedInFile: true,
  // Brings `node_modules/.bin/node`, which scripts and tests run on.
  ignoreDependencies: ["otelpipe-node"],
} satisfies KnipConfig;
