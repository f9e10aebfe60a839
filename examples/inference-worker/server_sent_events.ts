/**
 * The `data` of each event of a server-sent event stream, as it arrives. Comments, ids and event names are left out;
 * several `data` lines of one event are joined by a line feed. A last event without its empty line still counts.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let lines: string[] = [];
  for await (const line of readLines(body)) {
    if (line.startsWith("data:")) lines.push(line.slice(line[5] === " " ? 6 : 5));
    if (line !== "" || lines.length === 0) continue;
    yield lines.join("\n");
    lines = [];
  }
  if (lines.length > 0) yield lines.join("\n");
}

/** Lines that end in LF or CRLF, even when a chunk ends within one. */
async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.map((line) => line.replace(/\r$/, ""));
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.replace(/\r$/, "");
}
