import { posix } from "node:path";

/** As Go's `path.Clean`: no doubled slashes, no `.`, `..` resolved, no slash at the end. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/**
 * The file of each group, by the attribute value that takes the place of the `*` in `pattern`. Whatever the value is, the
 * path begins with what stands before the `*`. @see The Collector's `fileexporter`, `grouping_file_exporter.go`.
 */
export function groupPaths(pattern: string): (segment: string) => string {
  const [before = "", suffix = ""] = pattern.split("*");
  const cleaned = clean(before);
  const prefix = before.endsWith("/") && !cleaned.endsWith("/") ? `${cleaned}/` : cleaned;
  return (segment) => {
    const value = /^\.\.?\//.test(segment) ? segment.slice(segment.indexOf("/")) : segment;
    const path = clean(prefix + value + suffix);
    if (path.startsWith(prefix)) return path;
    return clean(posix.join(prefix, clean(posix.join("/", value + suffix))));
  };
}
