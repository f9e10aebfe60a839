/** The values of a header in a list of names and values as HTTP/2 brings them, each value as it was sent. */
export function valuesIn(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1] === name);
}

/** All of an HTTP/2 request's headers but the pseudo headers; `host` is its authority unless it was sent as well. */
export function distinctHeaders(rawHeaders: readonly string[]): Map<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>();
  for (const name of new Set(rawHeaders.filter((_name, index) => index % 2 === 0))) {
    if (!name.startsWith(":")) headers.set(name, valuesIn(rawHeaders, name));
  }
  const [authority] = valuesIn(rawHeaders, ":authority");
  if (!headers.has("host") && authority !== undefined) headers.set("host", [authority]);
  return headers;
}
