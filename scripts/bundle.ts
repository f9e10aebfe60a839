import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { type BuildOptions, build, type Plugin, transform } from "esbuild";
import { thirdPartyNotices } from "./notices.ts";
import { root } from "./root.ts";

/** What the dashboard's page is bundled from, besides our own files. */
const inDashboard = [
  "plotly.js-cartesian-dist-min",
  "sigma",
  "graphology",
  "graphology-utils",
  "events",
  "@fontsource-variable/inter",
  "@fontsource-variable/jetbrains-mono",
].map((name) => `node_modules/${name}/`);

/**
 * Whether a module of Node's is a mere collection. Importing it copies each property it has of its own, which takes
 * longer than what is then done with the module; one with the collection as its prototype has none.
 */
function isPlain(name: string): boolean {
  const found: unknown = process.getBuiltinModule(name);
  return typeof found === "object" && found !== null && Object.getPrototypeOf(found) === Object.prototype;
}

/** Modules of Node's that take milliseconds to load, of which nothing is called for every batch. */
const heavyBuiltins = /^(node:)?(child_process|crypto|http|http2|https|net|tls|v8|worker_threads)$/;

/**
 * Loads Node's own modules when what imports them is initialised, and heavy ones when something of theirs is first used.
 * An `import` would load all of them before anything runs and read each of their exports, and some of those load more:
 * `fs.ReadStream` all streams, `http` all of fetch.
 */
const lateBuiltins: Plugin = {
  name: "late-builtins",
  setup(plugins) {
    const isBuiltin = new RegExp(`^(node:)?(${builtinModules.join("|")})$`);
    plugins.onResolve({ filter: isBuiltin }, ({ path }) => ({ path, namespace: "late-builtins" }));
    plugins.onLoad({ filter: /./, namespace: "late-builtins" }, ({ path }) => {
      const found = `process.getBuiltinModule(${JSON.stringify(path)})`;
      if (!isPlain(path)) return { contents: `module.exports = ${found}` };
      const members = heavyBuiltins.test(path)
        ? `new Proxy({}, { get: (_, name) => (found ??= ${found})[name] })`
        : found;
      return { contents: `let found; module.exports = Object.create(${members})` };
    });
  },
};

/** What nothing here asks of zod and grpc-js: messages in other languages, schemas from JSON Schema, a debugging service. */
const leaveOut: Plugin = {
  name: "leave-out",
  setup(plugins) {
    plugins.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export {};" }));
    plugins.onLoad({ filter: /zod\/v4\/classic\/from-json-schema\.js$/ }, () => ({
      contents: 'export function fromJSONSchema() { throw new Error("not in this bundle"); }',
    }));
    plugins.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Descriptions of settings are read by `docs` and for the JSON Schema only. Each costs a second copy of its setting. */
const leaveOutDescriptions: Plugin = {
  name: "leave-out-descriptions",
  setup(plugins) {
    plugins.onLoad({ filter: /zod\/v4\/classic\/schemas\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(
        /^ {4}describe\(description\) \{\n(?: {8}.*\n)+ {4}\}/m,
        "    describe() { return this; }",
      );
      if (contents === source) throw new Error(`${path} describes schemas in another way now`);
      return { contents };
    });
  },
};

/**
 * Shortens the names of what is local to a function: V8 reads every name back with the compiled form, and few of them when
 * they are a, b and c. Exported names and those of methods stay, since they show in stacks and profiles.
 */
const shortLocals: Plugin = {
  name: "short-locals",
  setup(plugins) {
    plugins.onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), {
        loader: path.endsWith(".ts") ? "ts" : "js",
        minifyIdentifiers: true,
        target: shared.target,
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      });
      return { contents: code };
    });
  },
};

/** Leaves dynamic imports of these packages and files of ours to files that another build writes. */
function apart(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: "apart",
    setup(plugins) {
      plugins.onResolve({ filter: /./ }, ({ path, kind, importer }) => {
        const asked = path.startsWith(".") ? relative(root, join(dirname(importer), path)) : path;
        return kind === "dynamic-import" && asked in files ? { path: `./${files[asked]}`, external: true } : undefined;
      });
    },
  };
}

/** Where the command line finds what it imports for anything but running a config, by what it imports. */
const rareCommands = Object.fromEntries(
  [...readFileSync(join(root, "cmd/main.ts"), "utf8").matchAll(/import\("\.\/(\w+)\.ts"\)/g)]
    .filter(([, name]) => name !== "run_command" && name !== "validate")
    .map(([, name]) => [`cmd/${name}.ts`, `rare/${name}.js`]),
);

const shared = {
  absWorkingDir: root,
  outdir: join(root, "dist"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  metafile: true,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  alias: {
    // Not the CommonJS builds, which "node" would choose: all of rxjs would be loaded, and yaml in 72 wrappers.
    rxjs: join(root, "node_modules/rxjs/dist/esm/index.js"),
    yaml: join(root, "node_modules/yaml/browser/dist/index.js"),
  },
  // Bundled CommonJS modules may ask for others by `require`, which is made when one does: nothing does at start.
  banner: {
    js: 'const require = (name) => process.getBuiltinModule("node:module").createRequire(import.meta.url)(name);',
  },
} as const satisfies BuildOptions;

/** Takes the commands that build what a config names out of the daemon's bundle. */
const packedDaemon: Plugin = {
  name: "packed-daemon",
  setup(plugins) {
    plugins.onResolve({ filter: /^\.\/(run_command|validate)\.ts$/ }, () => ({
      path: join(root, "cmd/packed_daemon.ts"),
    }));
  },
};

/** The command line alone: one small file, since every start reads it. */
const main = {
  ...shared,
  entryPoints: { main: "cmd/main.ts" },
  plugins: [packedDaemon, apart(rareCommands), leaveOut, lateBuiltins],
} satisfies BuildOptions;

/** The other commands, and what few runs of the daemon come to: a chunk for each part that loads lazily. */
const rare = {
  ...shared,
  entryPoints: {
    ...Object.fromEntries(Object.entries(rareCommands).map(([path, file]) => [file.replace(".js", ""), path])),
    "rare/apache-arrow": "apache-arrow",
    "rare/hono": "@hono/node-server",
    "rare/dashboard": "extensions/dashboard/server.ts",
    "rare/opentelemetry": "pipeline/telemetry/sending/opentelemetry.ts",
    "rare/worker_thread": "cmd/packed_worker_thread.ts",
    "rare/cold_thread": "pipeline/process/cold_thread.ts",
    "rare/codecs": "pipeline/net/codecs/index.ts",
    "rare/password_thread": "extensions/basicauth/password_thread.ts",
    "rare/slow_encodings": "extensions/basicauth/slow_encodings.ts",
  },
  splitting: true,
  chunkNames: "rare/chunks/[name]-[hash]",
  plugins: [leaveOut, lateBuiltins],
} satisfies BuildOptions;

/**
 * What runs a config, in one file whose components still initialise only when a config names them: to find, read and
 * link 60 chunks takes 15 ms more. A script and no module: `cmd/compiled_bundle.ts` runs it as the function that it is.
 */
const daemon = {
  ...shared,
  entryPoints: { daemon: "cmd/daemon.ts" },
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  banner: { js: "(function (require, module, exports, bundleUrl, bundleFolder) {" },
  footer: { js: "})" },
  define: { "import.meta.url": "bundleUrl", "import.meta.dirname": "bundleFolder" },
  charset: "ascii",
  // Files of the other build are asked for by `require`: a script could only import them with a warning of Node's.
  supported: { "dynamic-import": false },
  plugins: [
    apart({
      "apache-arrow": "rare/apache-arrow.js",
      "@hono/node-server": "rare/hono.js",
      "extensions/dashboard/server.ts": "rare/dashboard.js",
      "pipeline/net/codecs/index.ts": "rare/codecs.js",
      "pipeline/telemetry/sending/opentelemetry.ts": "rare/opentelemetry.js",
      "extensions/basicauth/slow_encodings.ts": "rare/slow_encodings.js",
    }),
    leaveOut,
    leaveOutDescriptions,
    lateBuiltins,
    shortLocals,
  ],
} satisfies BuildOptions;

const builds = [main, rare, daemon];

/** Writes the daemon with everything it imports to `dist/`. */
export async function writeBundle(): Promise<void> {
  for (const options of builds) await build(options);
}

/** The notices of everything that the package contains. */
export async function bundledNotices(): Promise<string> {
  const results = await Promise.all(builds.map((options) => build({ ...options, write: false })));
  return thirdPartyNotices([...results.flatMap(({ metafile }) => Object.keys(metafile.inputs)), ...inDashboard]);
}
