/** How a file is written: what ends its lines, and how one becomes UTF-8. */
export interface LineCoding {
  readonly newline: Buffer;
  readonly toUtf8: (line: Buffer) => Buffer;
}

const plain: LineCoding = { newline: Buffer.from("\n"), toUtf8: (line) => line };
const asIs: ReadonlySet<string> = new Set(["", "nop", "utf-8", "utf8", "utf-8-raw", "ascii", "us-ascii"]);

/** The coding of that name, as the Collector's file readers know them; undefined for an unknown one. */
export function lineCoding(name: string): LineCoding | undefined {
  const label = name.toLowerCase();
  if (asIs.has(label)) return plain;
  if (label === "utf-16le" || label === "utf16le") return coding("utf-16le", Buffer.from([0x0a, 0]));
  if (label === "utf-16be" || label === "utf16be") return coding("utf-16be", Buffer.from([0, 0x0a]));
  return coding(label, plain.newline);
}

function coding(label: string, newline: Buffer): LineCoding | undefined {
  try {
    const decoder = new TextDecoder(label);
    return { newline, toUtf8: (line) => Buffer.from(decoder.decode(line)) };
  } catch {
    return undefined;
  }
}

/** A line of a file, or what stands behind its last newline. */
export interface Line {
  /** Without its newline; undefined when it is too long to be held. */
  readonly bytes: Buffer | undefined;
  /** Bytes of the file it takes, its newline included. */
  readonly sizeBytes: number;
  /** Whether a newline ends it. */
  readonly isWhole: boolean;
}

/** Cuts what comes in pieces into lines. A line over `maxBytes` is not held, but its size is told. */
export async function* linesOf(
  pieces: AsyncIterable<Buffer>,
  { newline }: LineCoding,
  maxBytes: number,
): AsyncGenerator<Line, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  let droppedBytes = 0;
  for await (const piece of pieces) {
    let from = 0;
    let searched = Math.max(0, rest.length - newline.length);
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (;;) {
      const at = newlineAt(bytes, newline, searched, from - droppedBytes);
      if (at < 0) break;
      const line = bytes.subarray(from, at);
      const isLong = droppedBytes > 0 || line.length > maxBytes;
      const sizeBytes = droppedBytes + line.length + newline.length;
      droppedBytes = 0;
      from = at + newline.length;
      searched = from;
      yield { bytes: isLong ? undefined : line, sizeBytes, isWhole: true };
    }
    rest = bytes.subarray(from);
    if (rest.length <= maxBytes + newline.length) continue;
    const kept = newline.length - 1; // half a newline may stand at the end
    droppedBytes += rest.length - kept;
    rest = rest.subarray(rest.length - kept);
  }
  const sizeBytes = droppedBytes + rest.length;
  if (sizeBytes > 0) yield { bytes: droppedBytes > 0 ? undefined : rest, sizeBytes, isWhole: false };
}

/** Where the next newline is that begins at a whole character, counted from `start`; -1 when there is none. */
function newlineAt(bytes: Buffer, newline: Buffer, from: number, start: number): number {
  let at = bytes.indexOf(newline, from);
  while (at >= 0 && (at - start) % newline.length !== 0) at = bytes.indexOf(newline, at + 1);
  return at;
}
