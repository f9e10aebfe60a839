import { openSync, writeSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../error_text.ts";

type Write = (text: string) => void;

/**
 * Gives what writes log lines to every path: `stdout`, `stderr`, a file or its file:// URL. A file that cannot be written
 * any more is named on `errorPaths` and costs its lines only.
 *
 * @throws {Error} naming the file that cannot be opened.
 */
export function openLogOutputs(paths: readonly string[], errorPaths: readonly string[]): Write {
  const complaints = errorPaths.map(openOutput);
  const outputs = paths.map((path) => {
    const write = openOutput(path);
    return (text: string) => {
      try {
        write(text);
      } catch (error) {
        const reason = messageOf(error);
        for (const complain of complaints) attempt(complain, `write error: ${path}: ${reason}\n`);
      }
    };
  });
  const [only] = outputs;
  if (only !== undefined && outputs.length === 1) return only;
  return (text) => {
    for (const write of outputs) write(text);
  };
}

/** There is nowhere left to complain about a complaint that could not be written. */
function attempt(write: Write, text: string): void {
  try {
    write(text);
  } catch {}
}

function openOutput(path: string): Write {
  if (path === "stdout") return (text) => void process.stdout.write(text);
  if (path === "stderr") return (text) => void process.stderr.write(text);
  const file = openFile(path);
  return (text) => void writeSync(file, text);
}

function openFile(path: string): number {
  const url = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path);
  try {
    if (url !== null && url[1]?.toLowerCase() !== "file") throw new Error(`no sink found for scheme "${url[1]}"`);
    const target = url === null ? path : fileURLToPath(path);
    if (url !== null && !isAbsolute(target)) throw new Error("file URLs must be absolute paths");
    return openSync(target, "a", 0o666);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Error(`failed to create logger: open sink ${JSON.stringify(path)}: ${reason}`, { cause });
  }
}
