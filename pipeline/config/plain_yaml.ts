import type { Place, Source } from "./place.ts";
import type { Entry, List, Scalar, Table, Tree } from "./tree.ts";

/**
 * Reads a text in the part of YAML that configurations are written in: block mappings and lists, flow collections and
 * scalars on one line, comments. Undefined for a text with anything else in it, be it wrong: that one is the library's,
 * whose parser takes a tenth of a start, and a fifth of the check of two hundred lines.
 *
 * What it reads, it reads as the library does, `place` included, except that a block ends with its last value.
 */
export function readPlainYaml(source: Source): Tree | undefined {
  if (unusualAnywhere.test(source.text)) return undefined;
  try {
    return new PlainReader(source).read();
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
}

/** Thrown where a text leaves the part of YAML that is read here. */
const unusual = Symbol("unusual YAML");

/** Tabs, carriage returns and other control characters, byte order marks; lines that begin a directive or end a document. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const unusualAnywhere = /[\0-\x09\x0b-\x1f\x7f\ufeff]|^(?:---|\.\.\.|%)/m;

/** A key that is surely one text, up to its colon. */
const plainKey = /[A-Za-z0-9_/][A-Za-z0-9_./-]*(?=:(?: |$))/my;

/** What a plain scalar may not begin with, here; a hyphen only before something else than a space. */
const indicators = "[]{},\"'|>&*!%@`?:#";

/** More levels or values than a person writes are for the library to refuse. */
const maximumDepth = 50;
const maximumValues = 20_000;

class PlainReader {
  readonly #source: Source;
  readonly #text: string;
  /** Where reading goes on. Between lines: at the first character of one with something on it, or at the end. */
  #at = 0;
  /** The column of `#at`, between lines; -1 at the end. */
  #column = 0;
  #values = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
  }

  read(): Tree {
    this.#toContent(0);
    if (this.#column < 0) throw unusual;
    const tree = this.#isKey() || this.#isItem() ? this.#block(this.#column, 0) : this.#inline(-1);
    if (this.#column >= 0) throw unusual;
    return tree;
  }

  /** Goes from `from`, the beginning of a line, to the first character that is neither space nor comment. */
  #toContent(from: number): void {
    for (let start = from; start < this.#text.length; ) {
      let at = start;
      while (this.#text[at] === " ") at += 1;
      if (this.#text[at] !== "\n" && this.#text[at] !== "#" && at < this.#text.length) {
        this.#at = at;
        this.#column = at - start;
        return;
      }
      start = this.#lineEnd(at) + 1;
    }
    this.#at = this.#text.length;
    this.#column = -1;
  }

  #lineEnd(at: number): number {
    const end = this.#text.indexOf("\n", at);
    return end < 0 ? this.#text.length : end;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
  }

  /** Whether nothing but a comment is left of the line; `#at` stands behind a space. */
  #isLineDone(): boolean {
    const next = this.#text[this.#at];
    return next === undefined || next === "\n" || (next === "#" && this.#text[this.#at - 1] === " ");
  }

  /** Leaves the line, which has to be done. */
  #leaveLine(): void {
    this.#skipSpaces();
    if (!this.#isLineDone()) throw unusual;
    this.#toContent(this.#lineEnd(this.#at) + 1);
  }

  #isItem(): boolean {
    const next = this.#text[this.#at + 1];
    return this.#text[this.#at] === "-" && (next === " " || next === "\n" || next === undefined);
  }

  #isKey(): boolean {
    plainKey.lastIndex = this.#at;
    return plainKey.test(this.#text);
  }

  /** A mapping or a list whose lines begin at `column`; `#at` is at its first one. */
  #block(column: number, depth: number): Table | List {
    if (depth > maximumDepth) throw unusual;
    return this.#isItem() ? this.#list(column, depth) : this.#table(column, depth);
  }

  #table(column: number, depth: number): Table {
    const start = this.#at;
    const entries = new Map<string, Entry>();
    let end = start;
    do {
      const keyStart = this.#at;
      const key = this.#key(entries);
      const keyPlace = this.#place(keyStart, this.#at);
      this.#at += 1;
      const value = this.#value(column, column, depth);
      entries.set(key, { keyPlace, value });
      end = value.place.end;
    } while (this.#column === column);
    if (this.#column > column) throw unusual;
    return { kind: "table", entries, place: this.#place(start, end) };
  }

  /** Takes a key, and leaves `#at` at its colon. One that is there already is an error, which is not ours to report. */
  #key(known: ReadonlyMap<string, Entry>): string {
    const start = this.#at;
    if (!this.#isKey()) throw unusual;
    this.#at = plainKey.lastIndex;
    const key = this.#text.slice(start, this.#at);
    if (known.has(key)) throw unusual;
    return key;
  }

  #list(column: number, depth: number): List {
    const start = this.#at;
    const items: Tree[] = [];
    let end = start;
    do {
      this.#at += 1;
      const item = this.#value(column, column + 1, depth);
      items.push(item);
      end = item.place.end;
    } while (this.#column === column && this.#isItem());
    if (this.#column > column) throw unusual;
    return { kind: "list", items, place: this.#place(start, end) };
  }

  /**
   * What stands behind a colon or a hyphen of a line that begins at `column`: on the rest of the line, or below it. Below,
   * a list may begin at `listColumn`.
   */
  #value(column: number, listColumn: number, depth: number): Tree {
    const line = this.#at - 1 - column;
    this.#skipSpaces();
    if (this.#isLineDone()) {
      const at = this.#at;
      this.#leaveLine();
      if (this.#column > column) return this.#block(this.#column, depth + 1);
      if (this.#column === listColumn && this.#isItem()) return this.#block(this.#column, depth + 1);
      return this.#scalar(null, at, at);
    }
    if (listColumn > column && this.#isKey()) return this.#table(this.#at - line, depth + 1);
    return this.#inline(column);
  }

  /** A scalar or a flow collection that is the rest of its line; nothing below may go on with it. */
  #inline(column: number): Tree {
    const value = this.#flowValue(0, blockEnd);
    this.#leaveLine();
    if (this.#column > column) throw unusual;
    return value;
  }

  /** A value within a line; a plain one ends before what `end` finds. */
  #flowValue(depth: number, end: RegExp): Tree {
    if (depth > maximumDepth) throw unusual;
    const first = this.#text[this.#at] ?? "";
    if (first === "[") return this.#flowList(depth);
    if (first === "{") return this.#flowTable(depth);
    if (first === '"' || first === "'") return this.#quoted(first);
    return this.#plain(end);
  }

  #flowList(depth: number): List {
    const start = this.#at;
    const items: Tree[] = [];
    while (this.#toMember(items.length, "]")) items.push(this.#flowValue(depth + 1, flowEnd));
    return { kind: "list", items, place: this.#place(start, this.#at) };
  }

  #flowTable(depth: number): Table {
    const start = this.#at;
    const entries = new Map<string, Entry>();
    while (this.#toMember(entries.size, "}")) {
      const keyStart = this.#at;
      const key = this.#key(entries);
      const keyPlace = this.#place(keyStart, this.#at);
      this.#at += 1;
      this.#skipSpaces();
      entries.set(key, { keyPlace, value: this.#flowValue(depth + 1, flowEnd) });
    }
    return { kind: "table", entries, place: this.#place(start, this.#at) };
  }

  /** Goes to the member behind the first `count` ones and says whether there is one; if not, past `close`. */
  #toMember(count: number, close: "]" | "}"): boolean {
    this.#skipSpaces();
    const isComma = this.#text[this.#at] === ",";
    if (count === 0 || isComma) {
      this.#at += 1;
      this.#skipSpaces();
      if (this.#text[this.#at] !== close) return true;
      if (isComma) throw unusual;
    }
    if (this.#text[this.#at] !== close) throw unusual;
    this.#at += 1;
    return false;
  }

  #quoted(quote: '"' | "'"): Scalar {
    const start = this.#at;
    const end = this.#text.indexOf(quote, start + 1);
    const text = this.#text.slice(start + 1, end);
    const isEscaped = quote === '"' ? text.includes("\\") : this.#text[end + 1] === quote;
    if (end < 0 || isEscaped || text.includes("\n")) throw unusual;
    this.#at = end + 1;
    return this.#scalar(text, start, this.#at);
  }

  #plain(end: RegExp): Scalar {
    const start = this.#at;
    if (indicators.includes(this.#text[start] ?? "#") || this.#isItem()) throw unusual;
    end.lastIndex = start;
    const found = end.exec(this.#text);
    this.#at = found?.index ?? this.#text.length;
    if (found?.[0].startsWith(":")) throw unusual;
    while (this.#text[this.#at - 1] === " ") this.#at -= 1;
    return this.#scalar(plainValue(this.#text.slice(start, this.#at)), start, this.#at);
  }

  #scalar(value: Scalar["value"], start: number, end: number): Scalar {
    this.#values += 1;
    if (this.#values > maximumValues) throw unusual;
    return { kind: "scalar", value, place: this.#place(start, end) };
  }

  #place(start: number, end: number): Place {
    return { source: this.#source, start, end };
  }
}

/** What ends a plain scalar, and a colon that would make a key of it. */
const blockEnd = /\n| #|:(?=[ \n]|$)/g;
const flowEnd = /[\n,[\]{}]| #|:(?=[ \n,[\]{}]|$)/g;

const words = new Map<string, boolean | null>([
  ["~", null],
  ["null", null],
  ["Null", null],
  ["NULL", null],
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
]);

/** A plain scalar as YAML 1.2 reads it; anything that could be another number than a plain decimal is left to the library. */
function plainValue(text: string): Scalar["value"] {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (/^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?$/.test(text)) return Number(text);
  if (/^[-+.0-9_e]+$|^[-+]?\.(?:inf|nan)$|^[-+]?0[box]/i.test(text)) throw unusual;
  return text;
}
