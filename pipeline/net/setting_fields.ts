import { duration, type ExtensionRole, extensionId, judgedAtStart, optionalBlock, z } from "../config/schema.ts";

/** Settings that several blocks share. */

/** A whole number that is not negative, refused in the Collector's words. */
export function atLeastZero(name: string, summary: string, value = 0) {
  const message = (issue: { input?: unknown }) => `invalid ${name} value: ${String(issue.input)}`;
  return z.int().min(0, { error: message }).default(value).describe(summary);
}

/** A duration that is not negative; its output is milliseconds. */
export function nonNegativeDuration(standard: string, summary: string) {
  return duration()
    .refine((milliseconds) => milliseconds >= 0, { error: "must be non-negative" })
    .prefault(standard)
    .describe(summary);
}

/** An address or a URL. Its form is judged elsewhere; here only that its port is one. */
export function endpointText() {
  return judgedAtStart(z.string(), (text) =>
    hasPortTooHigh(text) ? `invalid endpoint ${JSON.stringify(text)}: a port is at most 65535` : undefined,
  );
}

/** Whether the port of an address or a URL is none for being too high. */
export function hasPortTooHigh(endpoint: string): boolean {
  return Number(/:(\d+)(?:[/?#]|$)/.exec(endpoint)?.[1] ?? 0) > 65535;
}

/** Describes `read_buffer_size` and `write_buffer_size`. */
export const bufferNote = "Accepted for compatibility; has no effect, the runtime sizes its own buffers.";

/** An `auth` block whose authenticator serves as `role`. */
export function authSetting(role: ExtensionRole) {
  const block = () => z.strictObject({ authenticator: authenticatorId(role) });
  return optionalBlock(block, "none").describe("Adds credentials to what is sent.");
}

/** The `authenticator` of an `auth` block. */
export function authenticatorId(role: ExtensionRole) {
  return extensionId(role).describe("Id of the authenticator extension; it must be listed in service::extensions.");
}

/** A `middlewares` list whose extensions serve as `role`. */
export function middlewaresSetting(role: ExtensionRole) {
  return z
    .array(z.strictObject({ id: extensionId(role).describe("Id of a middleware extension.") }))
    .default([])
    .describe("Extensions that wrap requests, outermost first.");
}
