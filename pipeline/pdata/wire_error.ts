/** Why bytes are not a valid OTLP request: what is wrong, in which field, at which byte. */
export class WireError extends Error {
  override readonly name = "WireError";
  /** Position in the request body, in bytes, where the offending element begins. */
  readonly offset: number;
  /** The field, as `resourceSpans[0].scopeSpans[1].spans[3].name`; empty for the request itself. */
  readonly path: string;
  readonly reason: string;

  constructor(reason: string, path: string, offset: number) {
    super(`${path === "" ? "request" : path}: ${reason} (byte ${offset})`);
    this.reason = reason;
    this.path = path;
    this.offset = offset;
  }
}
