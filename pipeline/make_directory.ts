import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it that are missing, with `mode` where given. Not `mkdir` with `recursive`: Node's goes
 * round for ever where the file system says that a name cannot be there, such as below `/proc`.
 *
 * @throws {Error} when it cannot be made, or a file has its name.
 */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await isDirectory(path))) return;
    if (code !== "ENOENT" || (await isDirectory(dirname(path)))) throw error;
    await makeDirectory(dirname(path), mode);
    await makeDirectory(path, mode);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
