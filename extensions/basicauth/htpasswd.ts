import { isWellFormed } from "./encodings.ts";

/**
 * The users of an htpasswd file with their encoded passwords; of a user's lines the last one counts. Lines without a
 * colon, and those with a malformed encoding, are left out and counted.
 */
export function readUsers(text: string): { readonly users: ReadonlyMap<string, string>; readonly unreadable: number } {
  const users = new Map<string, string>();
  let unreadable = 0;
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const encoded = line.slice(colon + 1);
    if (colon >= 0 && isWellFormed(encoded)) users.set(line.slice(0, colon), encoded);
    else unreadable++;
  }
  return { users, unreadable };
}
