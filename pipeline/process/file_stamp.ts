import { statSync } from "node:fs";

/** What tells one state of a file from another: whatever a symbolic link leads to now. Empty when there is none. */
export function fileStamp(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs].join(" ");
  } catch {
    return "";
  }
}
