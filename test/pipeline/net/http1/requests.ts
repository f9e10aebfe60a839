/** A request of the form that exporters send. */
export function strictRequest(body: string, ...lines: string[]): string {
  const head = ["POST /v1/traces HTTP/1.1", "Host: x", `Content-Length: ${body.length}`, ...lines];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function request(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const first = "POST /v1/traces HTTP/1.1";
const host = "Host: x";

/** Requests that are written otherwise, many of them as those who smuggle requests write them. Each ends its connection. */
export const departures: readonly { readonly name: string; readonly bytes: string }[] = [
  { name: "another method", bytes: request("GET /v1/traces HTTP/1.1", host, "Connection: close") },
  { name: "a preflight", bytes: request("OPTIONS /v1/traces HTTP/1.1", host, "Origin: http://a", "Connection: close") },
  { name: "a method in lower case", bytes: request("post /v1/traces HTTP/1.1", host, "Content-Length: 0") },
  { name: "HTTP/1.0", bytes: `${request("POST /v1/traces HTTP/1.0", host, "Content-Length: 1")}a` },
  { name: "HTTP/1.2", bytes: request("POST /v1/traces HTTP/1.2", host, "Content-Length: 0") },
  { name: "HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  { name: "two spaces", bytes: request("POST  /v1/traces HTTP/1.1", host, "Content-Length: 0", "Connection: close") },
  { name: "no target", bytes: request("POST HTTP/1.1", host, "Content-Length: 0") },
  { name: "a whole URL", bytes: request("POST http://x/a HTTP/1.1", host, "Content-Length: 0", "Connection: close") },
  { name: "a fragment", bytes: request("POST /a#b HTTP/1.1", host, "Content-Length: 0", "Connection: close") },
  {
    name: "a target beyond ASCII",
    bytes: request("POST /\xe9 HTTP/1.1", host, "Content-Length: 0", "Connection: close"),
  },
  { name: "a blank in the target", bytes: request("POST /a b HTTP/1.1", host, "Content-Length: 0") },
  { name: "no host", bytes: request(first, "Content-Length: 0") },
  { name: "two hosts", bytes: request(first, host, "Host: y", "Content-Length: 0", "Connection: close") },
  { name: "no length", bytes: request(first, host, "Connection: close") },
  { name: "two lengths", bytes: `${request(first, host, "Content-Length: 1", "Content-Length: 1")}a` },
  { name: "two lengths in one", bytes: `${request(first, host, "Content-Length: 1, 1")}a` },
  { name: "a length with a sign", bytes: `${request(first, host, "Content-Length: +1")}a` },
  { name: "a length in hex", bytes: `${request(first, host, "Content-Length: 0x1")}a` },
  { name: "a length with a blank", bytes: `${request(first, host, "Content-Length: 1 1")}a` },
  { name: "an empty length", bytes: request(first, host, "Content-Length:") },
  { name: "a length beyond numbers", bytes: request(first, host, `Content-Length: ${"9".repeat(30)}`) },
  {
    name: "a length and chunks",
    bytes: `${request(first, host, "Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  },
  {
    name: "chunks and a length",
    bytes: `${request(first, host, "Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n`,
  },
  {
    name: "chunks",
    bytes: `${request(first, host, "Transfer-Encoding: chunked", "Connection: close")}1\r\na\r\n0\r\n\r\n`,
  },
  {
    name: "another transfer coding",
    bytes: request(first, host, "Content-Length: 0", "Transfer-Encoding: identity", "Connection: close"),
  },
  {
    name: "a transfer coding behind a vertical tab",
    bytes: `${request(first, host, "Content-Length: 5", "Transfer-Encoding:\x0bchunked")}0\r\n\r\n`,
  },
  {
    name: "a blank before the colon",
    bytes: `${request(first, host, "Content-Length: 5", "Transfer-Encoding : chunked")}0\r\n\r\n`,
  },
  {
    name: "a folded line",
    bytes: `${request(first, host, "Content-Length: 5", "Transfer-Encoding:", " chunked")}0\r\n\r\n`,
  },
  { name: "a line that starts with a blank", bytes: request(first, " Host: x", "Content-Length: 0") },
  { name: "a line without a colon", bytes: request(first, host, "Content-Length: 0", "X") },
  { name: "a header without a name", bytes: request(first, host, "Content-Length: 0", ": x") },
  { name: "a name beyond ASCII", bytes: request(first, host, "Content-Length: 0", "X\xe9: x") },
  { name: "a NUL", bytes: request(first, host, "Content-Length: 0", "X: a\0b") },
  {
    name: "a bare CR in a value",
    bytes: request(first, host, "Content-Length: 0", "X: a\rTransfer-Encoding: chunked"),
  },
  {
    name: "a bare LF in a value",
    bytes: request(first, host, "Content-Length: 0", "X: a\nTransfer-Encoding: chunked"),
  },
  { name: "lines that end in LF", bytes: `${first}\n${host}\nContent-Length: 0\n\n` },
  { name: "an empty line first", bytes: `\r\n${strictRequest("", "X-A: b")}` },
  { name: "a header twice", bytes: request(first, host, "Content-Length: 0", "X-A: 1", "x-a: 2", "Connection: close") },
  { name: "Connection: close", bytes: request(first, host, "Content-Length: 0", "Connection: close") },
  { name: "more of Connection", bytes: `${request(first, host, "Content-Length: 0", "Connection: close, x")}` },
  { name: "Expect", bytes: request(first, host, "Content-Length: 1", "Expect: 100-continue", "Connection: close") },
  { name: "Upgrade", bytes: request(first, host, "Content-Length: 0", "Upgrade: h2c", "Connection: close") },
  { name: "TE", bytes: request(first, host, "Content-Length: 0", "TE: trailers", "Connection: close") },
  { name: "Trailer", bytes: request(first, host, "Content-Length: 0", "Trailer: X", "Connection: close") },
  { name: "bytes of TLS", bytes: "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" },
  { name: "a hundred headers", bytes: manyHeaders() },
];

function manyHeaders(): string {
  const lines = Array.from({ length: 101 }, (_, index) => `x-${index}: a`);
  return request(first, host, "Content-Length: 0", "Connection: close", ...lines);
}
