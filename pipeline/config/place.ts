/** A text that configuration came from. */
export interface Source {
  /** What errors call it: a path, `env:NAME`, `yaml:…`. */
  readonly name: string;
  readonly text: string;
}

/** A piece of a source: offsets in UTF-16 code units, `end` exclusive. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A position for people: both count from 1, the column in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The line and column of `offset` in `text`. Lines end with LF, CRLF or CR; a tab is one column. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const ends = [...before.matchAll(/\r\n|\n|\r(?!\n)/g)];
  const last = ends.at(-1);
  const start = last === undefined ? 0 : last.index + last[0].length;
  return { line: ends.length + 1, column: [...before.slice(start)].length + 1 };
}

/** The lines of `text`, without their ends. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}
