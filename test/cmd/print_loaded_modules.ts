import { registerHooks } from "node:module";

/** Preloaded into a child process: prints the address of every module that it resolves, on stderr. */
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    process.stderr.write(`loaded ${resolved.url}\n`);
    return resolved;
  },
});
