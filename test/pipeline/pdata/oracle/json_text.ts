/**
 * A slow, plain reader of JSON text, independent of the one it is held against: it keeps what `JSON.parse` loses, which
 * is equal names in one object, the digits of numbers, and where the value ends.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class JsonObject {
  readonly members: readonly (readonly [string, Json])[];
  constructor(members: readonly (readonly [string, Json])[]) {
    this.members = members;
  }
}

/** The value at the beginning of a text; throws when there is none. What follows it does not matter. */
export function parseJson(text: string): Json {
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`not JSON at ${at}`);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const space = () => match(/[ \t\r\n]*/y);
  const take = (character: string): boolean => {
    space();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const items = <T>(close: string, item: () => T): T[] => {
    const list: T[] = [];
    if (take(close)) return list;
    do list.push(item());
    while (take(","));
    return take(close) ? list : fail();
  };
  const readString = (): string => {
    space();
    const found = match(/"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y) ?? fail();
    return JSON.parse(found) as string; // which refuses control characters
  };
  const member = (): [string, Json] => {
    const name = readString();
    return take(":") ? [name, read()] : fail();
  };
  const read = (): Json => {
    space();
    if (take("{")) return new JsonObject(items("}", member));
    if (take("[")) return items("]", read);
    if (text[at] === '"') return readString();
    if (match(/true/y) !== undefined) return true;
    if (match(/false/y) !== undefined) return false;
    if (match(/null/y) !== undefined) return null;
    return new JsonNumber(match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) ?? fail());
  };
  return read();
}
